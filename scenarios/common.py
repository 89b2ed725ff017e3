"""Shared by the scenario programs: how a server says where it listens and what it is about to do.

Every message is one line of JSON, written with a single write(2) to standard output (so threads need no lock for it,
and nothing of this module stays on a blocked stack). A program that is about to block calls stuck() in the guilty
function itself: thread id, function, file and line of the truth are computed there and then. The line is found by its
marker comment `# <- NAME`, never written down as a number.
"""
import json
import os
import socket
import sys
import threading


def say(event, **facts):
    """Tells the driver that something has happened."""
    line = json.dumps(dict(facts, event=event, pid=os.getpid()))
    os.write(1, line.encode() + b"\n")


def line_of(marker, file):
    """Number of the one line of file that ends in the comment `# <- marker`."""
    with open(file, encoding="utf-8") as source:
        found = [n for n, text in enumerate(source, 1) if text.rstrip().endswith("# <- " + marker)]
    if len(found) != 1:
        raise LookupError("%s has %d lines marked %r" % (file, len(found), marker))
    return found[0]


def stuck(marker="guilty"):
    """Called right before the marked line: this thread, at that line, is what the diagnosis must name."""
    code = sys._getframe(1).f_code
    say("stuck", tid=threading.get_native_id(), function=code.co_name, file=code.co_filename,
        line=line_of(marker, code.co_filename))


def stuck_in(function, marker):
    """Called right before a call that blocks in another function, at its marked line there."""
    code = function.__code__
    say("stuck", tid=threading.get_native_id(), function=code.co_name, file=code.co_filename,
        line=line_of(marker, code.co_filename))


def computes(function, marker="guilty"):
    """Called right before this thread computes for good in the function, at its marked line: it never sleeps there."""
    code = function.__code__
    say("stuck", tid=threading.get_native_id(), function=code.co_name, file=code.co_filename,
        line=line_of(marker, code.co_filename), computes=True)


def suspended(marker="guilty"):
    """The same for a coroutine that is about to be suspended at the marked line: no thread, a task."""
    code = sys._getframe(1).f_code
    say("stuck", tid=None, task=True, function=code.co_name, file=code.co_filename,
        line=line_of(marker, code.co_filename))


def suspended_in(function, marker):
    """The same for another coroutine, which is about to be run."""
    code = function.__code__
    say("stuck", tid=None, task=True, function=code.co_name, file=code.co_filename,
        line=line_of(marker, code.co_filename))


def never_started(function, task=False):
    """The truth about a callback or coroutine that waits to be run: its first line, on no thread."""
    code = function.__code__
    say("stuck", tid=None, task=task, function=code.co_name, file=code.co_filename, line=code.co_firstlineno)


def waiting(event="waiting"):
    """A thread that is about to wait behind the guilty one."""
    say(event, tid=threading.get_native_id())


def add_ping(app):
    """A view that says that the server as such still answers."""
    if "ping" not in app.view_functions:
        app.add_url_rule("/ping", "ping", lambda: "pong\n")
    return app


def quiet():
    """Keeps the access log off standard error."""
    import logging
    logging.getLogger("werkzeug").setLevel(logging.ERROR)


def make_server(app):
    """A threaded werkzeug server on a free loopback port, announced."""
    from werkzeug.serving import make_server as werkzeug_make_server
    quiet()
    server = werkzeug_make_server("127.0.0.1", 0, add_ping(app), threaded=True)
    say("listening", port=server.port)
    return server


def serve(app):
    """Serves for ever in the calling thread."""
    make_server(app).serve_forever()


def serve_single(app):
    """The same with one thread for everything: accepting, and one request after the other."""
    from werkzeug.serving import make_server as werkzeug_make_server
    quiet()
    server = werkzeug_make_server("127.0.0.1", 0, add_ping(app), threaded=False)
    say("listening", port=server.port)
    server.serve_forever()


def announce_app_run(app):
    """Before app.run(port=0): makes its server announce the port that it got."""
    from werkzeug.serving import BaseWSGIServer
    quiet()
    add_ping(app)
    BaseWSGIServer.log_startup = lambda server: say("listening", port=server.port)


def upstream():
    """(host, port) of a peer outside this process that accepts connections and never answers."""
    host, port = os.environ["SCENARIO_UPSTREAM"].split(":")
    return host, int(port)


def serve_aiohttp(routes, on_startup=()):
    """Serves {path: coroutine function} under aiohttp for ever, on the loop that the policy in force makes."""
    from aiohttp import web

    async def ping(request):
        return web.Response(text="pong\n")

    listener = socket.create_server(("127.0.0.1", 0))
    app = web.Application()
    app.on_startup.extend(on_startup)
    app.add_routes([web.get("/ping", ping)] + [web.get(path, handler) for path, handler in routes.items()])
    say("listening", port=listener.getsockname()[1])
    web.run_app(app, sock=listener, print=None, access_log=None)


def serve_waitress(app, threads=6):
    """Serves a WSGI application under waitress for ever."""
    from waitress import create_server
    server = create_server(add_ping(app), host="127.0.0.1", port=0, threads=threads)
    say("listening", port=server.effective_port)
    server.run()


def serve_plain(views):
    """Serves {path: function that returns text} with the standard library's threaded server for ever."""
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = views[self.path]().encode() if self.path in views else b"pong\n"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    say("listening", port=server.server_address[1])
    server.serve_forever()


def wsgi(views):
    """{path: function that returns text} as a WSGI application."""
    def application(environ, start_response):
        body = views.get(environ["PATH_INFO"], lambda: "pong\n")().encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
    return application


def serve_gevent(views):
    """Serves {path: function that returns text} under gevent's pywsgi for ever."""
    from gevent.pywsgi import WSGIServer
    server = WSGIServer(("127.0.0.1", 0), wsgi(views), log=None)
    server.start()
    say("listening", port=server.server_port)
    server.serve_forever()


def serve_eventlet(views):
    """The same under eventlet's wsgi."""
    import eventlet
    import eventlet.wsgi
    listener = eventlet.listen(("127.0.0.1", 0))
    say("listening", port=listener.getsockname()[1])
    eventlet.wsgi.server(listener, wsgi(views), log_output=False)


def serve_uvicorn(app):
    """Serves an ASGI application under uvicorn for ever."""
    import uvicorn
    listener = socket.create_server(("127.0.0.1", 0))
    say("listening", port=listener.getsockname()[1])
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", loop="asyncio")).run(sockets=[listener])


def service():
    """A process that serves nobody says that it is up."""
    say("listening", port=0)


def until_asleep(tid):
    """True, once that thread has slept through a moment in which it could have had the GIL: a loop's, in its selector."""
    import time

    def counters():
        with open("/proc/self/task/%d/status" % tid, encoding="utf-8") as file:
            return [line for line in file if line.startswith(("State:", "voluntary_ctxt", "nonvoluntary_ctxt"))]

    before = None
    while True:
        now = counters()
        if now == before and "S (sleeping)" in now[0]:
            return True
        before = now
        time.sleep(0.03)

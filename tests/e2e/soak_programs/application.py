"""Says where it listens, and becomes the server that its first argument names, with the applications in this file."""
import asyncio
import os
import shutil
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def wsgi(environ, start_response):
    time.sleep(0.02)
    start_response("200 OK", [("Content-Length", "3")])
    return [b"ok\n"]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    await asyncio.sleep(0.02)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
    await send({"type": "http.response.body", "body": b"ok\n"})


def beside(program):
    """Of the interpreter's own environment, where it has one."""
    own = os.path.join(os.path.dirname(sys.executable), program)
    return own if os.path.exists(own) else shutil.which(program)


SERVERS = {
    "uwsgi": ["--plugin", "python3", "--http-socket", "127.0.0.1:{port}", "--wsgi-file", __file__, "--callable", "wsgi", "--master",
              "--enable-threads", "--threads", "4", "--processes", "2", "--lazy-apps", "--disable-logging"],
    "granian": ["--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}", "--workers", "2", "application:asgi"],
    "streamlit": ["run", os.path.join(HERE, "streamlit_page.py"), "--server.port", "{port}", "--server.headless", "true",
                  "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false"],
}


def main(name):
    import common
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    common.say("listening", port=port)
    os.chdir(HERE)
    os.execv(beside(name), [name] + [word.replace("{port}", str(port)) for word in SERVERS[name]])


if __name__ == "__main__":
    main(sys.argv[1])

"""Flask with plain views. Run as a program: werkzeug's threaded server, with SOAK_RELOADER its reloader; or by gunicorn."""
import os
import signal
import threading

from flask import Flask

import common
import service

app = common.add_ping(Flask(__name__))
app.add_url_rule("/work", "work", service.work)
app.add_url_rule("/slow", "slow", service.slow)


def serve(app):
    """werkzeug's threaded server; SIGTERM lets it finish what is in flight."""
    server = common.make_server(app)
    server.daemon_threads = False
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    server.server_close()


def serve_reloaded(app):
    """Flask's development server with its reloader, which watches the file SOAK_RELOADER."""
    if os.environ.get("WERKZEUG_RUN_MAIN"):
        service.start()
        common.say("worker")
    common.announce_app_run(app)
    app.run(port=0, threaded=True, use_reloader=True, reloader_type="stat", reloader_interval=0.2,
            extra_files=[os.environ["SOAK_RELOADER"]])


if __name__ != "__main__":
    service.start()
elif os.environ.get("SOAK_RELOADER"):
    serve_reloaded(app)
else:
    service.start()
    serve(app)

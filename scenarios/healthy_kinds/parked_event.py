"""The main thread waits for an Event that a signal handler sets; the server runs in a thread."""
import signal
import threading

from flask import Flask

import common

app = Flask(__name__)
STOP = threading.Event()


@app.get("/hello")
def hello():
    return "hello\n"


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: STOP.set())
    threading.Thread(target=common.serve, args=(app,), name="server", daemon=True).start()
    STOP.wait()

"""The main thread sits in signal.pause(); the server runs in a thread."""
import signal
import threading

from flask import Flask

import common

app = Flask(__name__)


@app.get("/hello")
def hello():
    return "hello\n"


if __name__ == "__main__":
    threading.Thread(target=common.serve, args=(app,), name="server", daemon=True).start()
    signal.pause()

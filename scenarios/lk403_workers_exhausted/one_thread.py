"""A server of one thread; a view waits for an event that nobody sets, and other clients wait to be accepted."""
import threading

from flask import Flask

import common

app = Flask(__name__)
READY = threading.Event()


@app.get("/report")
def report():
    common.stuck()
    READY.wait()  # <- guilty
    return "done\n"


if __name__ == "__main__":
    common.serve_single(app)

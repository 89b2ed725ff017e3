"""A view waits for an Event with a lock in its hands; the thread that would set it wants that lock first (Event + lock)."""
import threading

from flask import Flask

import common

app = Flask(__name__)
LOCK = threading.Lock()
STARTED = threading.Event()
DONE = threading.Event()


def work():
    STARTED.wait(20)
    common.stuck("guilty-worker")
    with LOCK:  # <- guilty-worker
        DONE.set()


@app.get("/work")
def work_view():
    threading.Thread(target=work, name="worker", daemon=True).start()
    with LOCK:
        STARTED.set()
        common.stuck("guilty-view")
        DONE.wait()  # <- guilty-view
    return "worked\n"


if __name__ == "__main__":
    common.serve(app)

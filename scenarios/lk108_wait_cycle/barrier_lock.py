"""Two parties must meet at a Barrier; the first waits there with a lock in its hands that the second wants before."""
import threading

from flask import Flask

import common

app = Flask(__name__)
LOCK = threading.Lock()
MEETING = threading.Barrier(2)
FIRST = threading.Event()


@app.get("/first")
def first():
    with LOCK:
        FIRST.set()
        common.stuck("guilty-first")
        MEETING.wait()  # <- guilty-first
    return "met\n"


@app.get("/second")
def second():
    FIRST.wait(20)
    common.stuck("guilty-second")
    with LOCK:  # <- guilty-second
        MEETING.wait()
    return "met\n"


if __name__ == "__main__":
    common.serve(app)

"""Views that have a desk (a threading.BoundedSemaphore) each call a function that wants a desk as well."""
import threading

from flask import Flask

import common

app = Flask(__name__)
DESKS = threading.BoundedSemaphore(2)
BOTH = threading.Barrier(2)


def stamp():
    common.stuck("guilty-stamp")
    with DESKS:  # <- guilty-stamp
        return "stamped\n"


def stamp_in_time():
    common.stuck("guilty-in-time")
    if not DESKS.acquire(timeout=3600):  # <- guilty-in-time
        return "later\n"
    try:
        return "stamped\n"
    finally:
        DESKS.release()


@app.get("/file")
def file():
    with DESKS:
        BOTH.wait()
        return stamp()


@app.get("/file_in_time")
def file_in_time():
    with DESKS:
        BOTH.wait()
        return stamp_in_time()


def stamp_for(units):
    with units:
        return "stamped\n"


@app.get("/file_at_a_rate")
def file_at_a_rate():
    """A threading.Timer gives the unit back."""
    units = threading.Semaphore(1)
    threading.Timer(3600, units.release).start()
    with units:
        common.stuck("guilty-rate")
        return stamp_for(units)  # <- guilty-rate


@app.get("/flat")
def flat():
    with DESKS:
        return "stamped\n"


if __name__ == "__main__":
    common.serve(app)

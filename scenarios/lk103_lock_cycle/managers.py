"""Locks taken by context managers of all kinds, in opposite order: SCENARIO_KIND says which."""
import contextlib
import os
import threading

from flask import Flask

import common

app = Flask(__name__)
FIRST, SECOND = threading.Lock(), threading.Lock()
both = threading.Barrier(2)


class Guard:
    """Its lock is known to the object alone; a frame that uses it shows the guard."""

    def __init__(self, lock, last=False):
        self.lock, self.last = lock, last

    def __enter__(self):
        if self.last:
            common.stuck("guilty-guard")
        self.lock.acquire()  # <- guilty-guard
        return self

    def __exit__(self, *exc):
        self.lock.release()


@contextlib.contextmanager
def generated(lock, last=False):
    if last:
        common.stuck("guilty-generated")
    with lock:  # <- guilty-generated
        yield


def stacked(lock, last=False):
    stack = contextlib.ExitStack()
    if last:
        common.stuck("guilty-stacked")
    stack.enter_context(lock)  # <- guilty-stacked
    return stack


KIND = {"guard": Guard, "generated": generated, "stacked": stacked}[os.environ["SCENARIO_KIND"]]


@app.get("/one")
def one():
    with KIND(FIRST):
        both.wait()
        with KIND(SECOND, True):
            return "done\n"


@app.get("/two")
def two():
    with KIND(SECOND):
        both.wait()
        with KIND(FIRST, True):
            return "done\n"


@app.get("/in-order")
def in_order():
    with KIND(FIRST), KIND(SECOND):
        threading.Event().wait(0.02)
    return "done\n"


if __name__ == "__main__":
    common.serve(app)

"""A lock of readers and writers, made of a condition. /mend reads, and wants to write while it still does.

/browse only reads, and takes its time; /sort only writes, and waits for it. /listen waits in a `with` for what /announce says: news, nothing
that is held.
"""
import contextlib
import threading
import time

from flask import Flask

import common

app = Flask(__name__)


class Shelves:
    def __init__(self):
        self.changed = threading.Condition()
        self.readers = 0

    @contextlib.contextmanager
    def reading(self):
        with self.changed:
            self.readers += 1
        try:
            yield
        finally:
            with self.changed:
                self.readers -= 1
                self.changed.notify_all()

    @contextlib.contextmanager
    def writing(self):
        with self.changed:
            while self.readers:
                self.changed.wait()  # <- guilty
            yield


class Hall:
    def __init__(self):
        self.said = threading.Condition()
        self.news = []
        self.present = 0

    @contextlib.contextmanager
    def inside(self):
        with self.said:
            self.present += 1
        try:
            yield
        finally:
            with self.said:
                self.present -= 1
                self.said.notify_all()

    def next(self):
        with self.said:
            heard = len(self.news)
            while len(self.news) == heard:
                self.said.wait()
            return self.news[-1]

    def announce(self, news):
        with self.said:
            self.news.append(news)
            self.said.notify_all()


SHELVES = Shelves()
HALL = Hall()


@app.get("/mend")
def mend():
    common.stuck_in(Shelves.writing.__wrapped__, "guilty")
    with SHELVES.reading():
        with SHELVES.writing():
            return "mended\n"


@app.get("/browse")
def browse():
    with SHELVES.reading():
        common.waiting("browsing")
        time.sleep(600)
    return "seen\n"


@app.get("/sort")
def sort():
    common.waiting()
    with SHELVES.writing():
        return "sorted\n"


@app.get("/listen")
def listen():
    common.waiting()
    with HALL.inside():
        return HALL.next()


@app.get("/announce")
def announce():
    HALL.announce("open\n")
    return "said\n"


if __name__ == "__main__":
    common.serve(app)

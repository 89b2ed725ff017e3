"""A transaction begins and ends in two calls, so no frame keeps its lock; queries enter the lock inside of a try meanwhile."""
import threading
import time

from flask import Flask

import common

app = Flask(__name__)


class Session:
    def __init__(self):
        self.lock = threading.Lock()
        self.rows = 0

    def begin(self):
        self.lock.acquire()

    def end(self):
        self.lock.release()

    def count(self):
        try:
            with self.lock:
                return self.rows
        except AttributeError:
            return 0


SESSION = Session()


@app.get("/import")
def import_rows():
    SESSION.begin()
    for _ in range(10):
        time.sleep(0.05)
        SESSION.rows += 1
    SESSION.end()
    return "done\n"


@app.get("/count")
def count():
    return "%d\n" % SESSION.count()


if __name__ == "__main__":
    common.serve(app)

"""Two views take two shelves crosswise; a janitor who sleeps will open all shelves, by a method of what has them in a table.

With SCENARIO_SIGNAL a signal's handler does so. With SCENARIO_NO_JANITOR he only counts them: the same is a deadlock then.
"""
import os
import signal
import threading
import time

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
READY = threading.Barrier(2)


class Shelves:
    def __init__(self):
        self.locks = {name: threading.Lock() for name in ("tea", "salt")}

    def open_all(self):
        for lock in self.locks.values():
            if lock.locked():
                lock.release()

    def on_signal(self, number, frame):
        self.open_all()

    def count(self):
        return sum(lock.locked() for lock in self.locks.values())


SHELVES = Shelves()


def open_later():
    time.sleep(600)
    SHELVES.open_all()


def count_later():
    time.sleep(600)
    return SHELVES.count()


@app.get("/tea")
def tea():
    with SHELVES.locks["tea"]:
        READY.wait()
        common.stuck("tea")
        with SHELVES.locks["salt"]:  # <- tea
            return "tea and salt\n"


@app.get("/salt")
def salt():
    with SHELVES.locks["salt"]:
        READY.wait()
        common.stuck("salt")
        with SHELVES.locks["tea"]:  # <- salt
            return "salt and tea\n"


if __name__ == "__main__":
    if "SCENARIO_SIGNAL" in os.environ:
        signal.signal(signal.SIGUSR1, SHELVES.on_signal)
    else:
        threading.Thread(target=count_later if "SCENARIO_NO_JANITOR" in os.environ else open_later, daemon=True).start()
    common.serve(app)

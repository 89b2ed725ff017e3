"""One view has a file locked and wants a lock; another has that lock and wants to lock the file."""
import fcntl
import tempfile
import threading

from flask import Flask

import common

app = Flask(__name__)
JOURNAL = tempfile.NamedTemporaryFile(prefix="scenario-")
CACHE = threading.RLock()
both = threading.Barrier(2)


@app.get("/append")
def append():
    with open(JOURNAL.name, "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        both.wait()
        common.stuck("guilty-append")
        with CACHE:  # <- guilty-append
            return "done\n"


@app.get("/refresh")
def refresh():
    with CACHE:
        both.wait()
        with open(JOURNAL.name, "a", encoding="utf-8") as file:
            common.stuck("guilty-refresh")
            fcntl.flock(file, fcntl.LOCK_EX)  # <- guilty-refresh
    return "done\n"


if __name__ == "__main__":
    common.serve(app)

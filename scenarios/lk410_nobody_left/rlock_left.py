"""A request that fails between acquire() and release() leaves an RLock to its worker, which serves on: the others wait for ever."""
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
READINGS = threading.RLock()
PRINTER, PRINTS = threading.RLock(), ThreadPoolExecutor(max_workers=1)


@app.get("/add")
def add():
    READINGS.acquire()
    try:
        int("twelve")
        READINGS.release()
    except ValueError:
        pass
    return "added\n"


@app.get("/total")
def total():
    common.stuck()
    READINGS.acquire()  # <- guilty
    READINGS.release()
    return "12\n"


@app.get("/begin")
def begin():
    """The one thread of a pool has the lock until it is told to give it back."""
    PRINTS.submit(PRINTER.acquire).result()
    return "begun\n"


@app.get("/end")
def end():
    PRINTS.submit(PRINTER.release).result()
    return "ended\n"


@app.get("/print")
def print_page():
    common.waiting()
    with PRINTER:
        return "printed\n"


if __name__ == "__main__":
    common.serve_waitress(app, threads=4)

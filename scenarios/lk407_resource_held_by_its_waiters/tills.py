"""Tills that are lent: a queue.Queue whose items are put back by the threads that got them."""
import contextlib
import queue
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
TILLS = queue.Queue()
BOTH = threading.Barrier(2)
for number in range(2):
    TILLS.put(number)


@contextlib.contextmanager
def till():
    common.stuck("guilty-till")
    number = TILLS.get()  # <- guilty-till
    try:
        yield number
    finally:
        TILLS.put(number)


def change():
    with till() as number:
        return "changed at %d\n" % number


def change_in_time():
    common.stuck("guilty-in-time")
    number = TILLS.get(timeout=3600)  # <- guilty-in-time
    try:
        return "changed at %d\n" % number
    finally:
        TILLS.put(number)


@app.get("/pay")
def pay():
    with till():
        BOTH.wait()
        return change()


@app.get("/pay_in_time")
def pay_in_time():
    number = TILLS.get()
    try:
        BOTH.wait()
        return change_in_time()
    finally:
        TILLS.put(number)


def open_more():
    while True:
        time.sleep(3600)
        TILLS.put("one more")


@app.get("/pay_later")
def pay_later():
    """More tills are opened when their time comes."""
    if not any(t.name == "opens more" for t in threading.enumerate()):
        threading.Thread(target=open_more, name="opens more", daemon=True).start()
    return pay()


@app.get("/flat")
def flat():
    with till() as number:
        return "paid at %d\n" % number


if __name__ == "__main__":
    common.serve(app)

"""Two hundred threads, most of them parked or at work with nothing wrong; two requests hold a lock each and want the other's."""
import queue
import threading

from flask import Flask

import common

app = Flask(__name__)
LEFT, RIGHT = threading.Lock(), threading.Lock()
BOTH = threading.Barrier(2)
JOBS, EVENTS = queue.Queue(), threading.Event()


def consume():
    while True:
        JOBS.get()()


def park():
    EVENTS.wait()


def tick():
    while not EVENTS.wait(0.5):
        pass


for number, work in enumerate([consume] * 80 + [park] * 80 + [tick] * 37):
    threading.Thread(target=work, name="%s-%d" % (work.__name__, number), daemon=True).start()


def debit():
    with LEFT:
        BOTH.wait()
        common.stuck("guilty-debit")
        with RIGHT:  # <- guilty-debit
            pass


def credit():
    with RIGHT:
        BOTH.wait()
        common.stuck("guilty-credit")
        with LEFT:  # <- guilty-credit
            pass


@app.get("/debit")
def view_debit():
    debit()
    return "ok\n"


@app.get("/credit")
def view_credit():
    credit()
    return "ok\n"


if __name__ == "__main__":
    common.serve(app)

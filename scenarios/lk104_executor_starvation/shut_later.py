"""The only worker of a pool waits for a job in the same pool's queue; a thread that sleeps will shut the pool down.

SCENARIO_LATER: "call_off" (it calls off what is queued, else the job would still have to be done), "sweep" (it cancels, by a method, what a
table has), "other" (it looks after another pool: reads how many workers that may have, gives it more, calls off its jobs), "signal" (a
signal's handler calls off what is queued), "timer" (a threading.Timer gives the pool another worker), "scheduled" (a scheduler's event does),
"commanded" (what a table of commands has does, when a command comes), "commanded_other" (that gives another pool one).
"""
import concurrent.futures
import os
import sched
import signal
import threading
import time

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
POOL = concurrent.futures.ThreadPoolExecutor(1)


class Elastic(concurrent.futures.ThreadPoolExecutor):
    def grow(self):
        self._max_workers += 1
        self._adjust_thread_count()


OTHER = Elastic(1)


def shut():
    time.sleep(600)
    POOL.shutdown(wait=False)


def call_off():
    time.sleep(600)
    POOL.shutdown(wait=False, cancel_futures=True)


class Table:
    def __init__(self):
        self.jobs = []

    def cancel_all(self):
        for job in self.jobs:
            job.cancel()


TABLE = Table()


def sweep():
    time.sleep(600)
    TABLE.cancel_all()


def other():
    while True:
        time.sleep(600)
        if OTHER._max_workers < 2:
            OTHER.grow()
        OTHER.shutdown(wait=False, cancel_futures=True)


def on_signal(number, frame):
    POOL.shutdown(wait=False, cancel_futures=True)


def give_worker():
    POOL._max_workers += 1
    POOL._adjust_thread_count()


def give_other():
    OTHER._max_workers += 1
    OTHER._adjust_thread_count()


def scheduled():
    events = sched.scheduler()
    events.enter(600, 1, give_worker)
    events.run()


def obey(commands):
    read, _ = os.pipe()
    while True:
        commands[os.read(read, 1)]()


def commanded():
    obey({b"g": give_worker})


def commanded_other():
    obey({b"g": give_other})


def outer():
    job = POOL.submit(int, "1")
    TABLE.jobs.append(job)
    common.stuck()
    return job.result()  # <- guilty


@app.get("/sum")
def sum_view():
    return str(POOL.submit(outer).result())


if __name__ == "__main__":
    how = os.environ.get("SCENARIO_LATER", "shut")
    if how == "signal":
        signal.signal(signal.SIGUSR1, on_signal)
    elif how == "timer":
        threading.Timer(600, give_worker).start()
    else:
        threading.Thread(target=globals()[how], daemon=True).start()
    common.serve(app)

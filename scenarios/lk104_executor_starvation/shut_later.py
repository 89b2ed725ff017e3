"""The only worker of a pool waits for a job in the same pool's queue; a thread that sleeps will shut the pool down.

With SCENARIO_LATER=call_off it calls off what is queued, else the job would still have to be done. With SCENARIO_LATER=sweep it cancels,
by a method, what a table has.
"""
import concurrent.futures
import os
import threading
import time

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
POOL = concurrent.futures.ThreadPoolExecutor(1)


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


def outer():
    job = POOL.submit(int, "1")
    TABLE.jobs.append(job)
    common.stuck()
    return job.result()  # <- guilty


@app.get("/sum")
def sum_view():
    return str(POOL.submit(outer).result())


if __name__ == "__main__":
    threading.Thread(target=globals()[os.environ.get("SCENARIO_LATER", "shut")], daemon=True).start()
    common.serve(app)

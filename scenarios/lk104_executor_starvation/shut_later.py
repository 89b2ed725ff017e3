"""The only worker of a pool waits for a job in the same pool's queue; a thread that sleeps will shut the pool down: with
SCENARIO_CALLS_OFF it calls off what is queued, else the job would still have to be done.
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


def outer():
    job = POOL.submit(int, "1")
    common.stuck()
    return job.result()  # <- guilty


@app.get("/sum")
def sum_view():
    return str(POOL.submit(outer).result())


if __name__ == "__main__":
    threading.Thread(target=call_off if "SCENARIO_CALLS_OFF" in os.environ else shut, daemon=True).start()
    common.serve(app)

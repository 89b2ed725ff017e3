"""Celery on redis: jobs that wait for the outside, for one another, or for a loop that stayed in the worker's parent, and their twins.
Run as a program it sends one job and becomes the worker."""
import asyncio
import os
import sys
import threading

import requests
from celery import Celery

import common
import systems

BROKER = os.environ.setdefault("SYSTEMS_BROKER", systems.redis())
app = Celery("jobs", broker=BROKER, backend=BROKER)
app.conf.update(worker_prefetch_multiplier=1, worker_redirect_stdouts=False, broker_connection_retry_on_startup=True)
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, name="loop", daemon=True).start()


@app.task
def add(a, b):
    return a + b


@app.task
def ask():
    common.stuck()
    return requests.get("http://%s:%d/" % common.upstream()).text  # <- guilty


@app.task
def ask_bounded():
    common.say("started")
    return requests.get("http://%s:%d/" % common.upstream(), timeout=600).text


@app.task
def wait_for_job():
    """It polls: its thread wakes every second, and does not stand still for the driver."""
    other = add.delay(1, 2)
    threading.Timer(1, common.say, ["started"]).start()
    return other.get(disable_sync_subtasks=False)


@app.task
def wait_bounded():
    common.say("started")
    return add.delay(1, 2).get(timeout=600, disable_sync_subtasks=False)


@app.task
def ask_loop():
    common.stuck("guilty-loop")
    return asyncio.run_coroutine_threadsafe(asyncio.sleep(0.1), loop).result()  # <- guilty-loop


@app.task
def own_loop():
    common.say("started")
    return asyncio.run(asyncio.sleep(600))


if __name__ == "__main__":
    import jobs
    if os.environ.get("SCENARIO_JOB"):
        getattr(jobs, os.environ["SCENARIO_JOB"]).delay()
    os.environ["C_FORCE_ROOT"] = "1"
    common.say("listening", port=0)
    os.execv(sys.executable, [sys.executable, "-m", "celery", "-A", "jobs", "worker", "-l", "ERROR", "-c", "1",
                              "-P", os.environ.get("SCENARIO_POOL", "prefork")])

"""A service's main thread waits, without a timeout, for its own pool: who completes that is known, and alive.

SCENARIO_JOB says at what: polling, consuming a queue or a coroutine that does, a child process, two child processes that sleep.
"approval" is a near miss: nobody is left who could set that event.
"""
import asyncio
import os
import queue
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait

import common

ITEMS = queue.Queue()
APPROVED = threading.Event()
PROCESSES = ProcessPoolExecutor(2)
LOOP = asyncio.new_event_loop()


def poll():
    common.say("started")
    while True:
        time.sleep(20)


def consume():
    common.say("started")
    while True:
        ITEMS.get()


def run_child():
    common.say("started")
    subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"], check=False)


def approval():
    common.say("started")
    APPROVED.wait()


def sleep(number):
    common.say("started")
    time.sleep(600)


async def consume_on_loop():
    items = asyncio.Queue()
    common.say("started")
    while True:
        await items.get()


def submit(job):
    if job == "coroutine":
        threading.Thread(target=LOOP.run_forever, daemon=True).start()
        return [asyncio.run_coroutine_threadsafe(consume_on_loop(), LOOP)]
    if job == "processes":
        return [PROCESSES.submit(sleep, number) for number in range(2)]
    jobs = {"poll": poll, "consume": consume, "child": run_child, "approval": approval}
    pool = ThreadPoolExecutor(2)
    return [pool.submit(jobs[job]), pool.submit(jobs[job])]


def main():
    jobs = submit(os.environ["SCENARIO_JOB"])
    common.service()
    if os.environ["SCENARIO_JOB"] == "approval":
        common.stuck()
    wait(jobs)  # <- guilty


if __name__ == "__main__":
    main()

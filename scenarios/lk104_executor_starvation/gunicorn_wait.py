"""A gthread worker's shared pool: each batch waits in concurrent.futures.wait() for parts that nobody is left to run."""
import concurrent.futures
import threading

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
POOL = None
STARTING = threading.Lock()
BOTH = threading.Barrier(2)


def pool():
    """The worker's own pool: made after the fork, on first use."""
    global POOL
    with STARTING:
        if POOL is None:
            POOL = concurrent.futures.ThreadPoolExecutor(max_workers=2, thread_name_prefix="batch")
        return POOL


def part(number):
    return number


def batch():
    BOTH.wait(20)
    parts = [pool().submit(part, n) for n in range(3)]
    common.stuck()
    done, _ = concurrent.futures.wait(parts)  # <- guilty
    return "%d\n" % sum(f.result() for f in done)


@app.get("/batch")
def batch_view():
    job = pool().submit(batch)
    common.waiting()
    return job.result()

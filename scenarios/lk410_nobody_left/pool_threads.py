"""A view completes the futures of its pool itself: each worker's own set_result() then fails, and ends the worker."""
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
WORKERS = 2
POOL = ThreadPoolExecutor(WORKERS, thread_name_prefix="report")


def spoil(n):
    """Answers n jobs before they are done, as a cache might."""
    go = threading.Event()
    jobs = [POOL.submit(go.wait) for _ in range(n)]
    while not all(job.running() for job in jobs):
        pass
    workers = [t for t in threading.enumerate() if t.name.startswith("report")]
    for job in jobs:
        job.set_result("from the cache")
    go.set()
    for worker in workers[:n]:
        worker.join(5)


def ask():
    common.stuck()
    return POOL.submit(str, 1).result()  # <- guilty


@app.get("/all_gone")
def all_gone():
    spoil(WORKERS)
    return ask()


@app.get("/one_left")
def one_left():
    spoil(WORKERS - 1)
    return POOL.submit(str, 1).result()


if __name__ == "__main__":
    common.serve(app)

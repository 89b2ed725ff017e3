"""A view holds the only slot of a BoundedSemaphore and waits for a job that wants a slot (Semaphore + future)."""
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
CONNECTIONS = threading.BoundedSemaphore(1)
POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="pool")


def query():
    common.stuck("guilty-job")
    with CONNECTIONS:  # <- guilty-job
        return "row\n"


@app.get("/rows")
def rows():
    with CONNECTIONS:
        job = POOL.submit(query)
        common.stuck("guilty-view")
        return job.result()  # <- guilty-view


if __name__ == "__main__":
    common.serve(app)

"""A view waits for a job of a ProcessPoolExecutor that never ends: the child is named, and this is no deadlock of the process."""
import time
from concurrent.futures import ProcessPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
POOL = ProcessPoolExecutor(max_workers=1)


def job():
    common.say("started")
    time.sleep(3600)


@app.get("/job")
def job_view():
    future = POOL.submit(job)
    common.stuck()
    return future.result()  # <- guilty


if __name__ == "__main__":
    common.serve(app)

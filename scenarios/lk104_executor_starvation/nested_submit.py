"""A job of a one-worker pool submits a second job to that pool and waits for it."""
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
POOL = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reports")


def total(numbers):
    return sum(numbers)


def report():
    part = POOL.submit(total, [1, 2, 3])
    common.stuck()
    return "%d\n" % part.result()  # <- guilty


@app.get("/report")
def report_view():
    job = POOL.submit(report)
    common.waiting()
    return job.result()


if __name__ == "__main__":
    common.serve(app)

"""A job of a multiprocessing ThreadPool asks the same pool for another one and waits; a healthy pool has a thread more."""
import os
from multiprocessing.pool import ThreadPool

from flask import Flask

import common

app = Flask(__name__)
POOL = ThreadPool(int(os.environ["SCENARIO_THREADS"]))


def total(numbers):
    return sum(numbers)


def report():
    common.stuck()
    return "%d\n" % POOL.apply(total, ([1, 2, 3],))  # <- guilty


@app.get("/report")
def report_view():
    common.waiting()
    return POOL.apply(report)


if __name__ == "__main__":
    common.serve(app)

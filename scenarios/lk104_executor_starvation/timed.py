"""The nested wait has a timeout: the worker comes back, a little late."""
import concurrent.futures
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
POOL = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reports")


def total(numbers):
    return sum(numbers)


def report():
    part = POOL.submit(total, [1, 2, 3])
    try:
        return "%d\n" % part.result(timeout=0.2)
    except concurrent.futures.TimeoutError:
        return "later\n"


@app.get("/report")
def report_view():
    return POOL.submit(report).result()


if __name__ == "__main__":
    common.serve(app)

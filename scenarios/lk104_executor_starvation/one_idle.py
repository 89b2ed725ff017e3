"""Nested jobs in one pool of four: two workers wait for work that the other two still do."""
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="reports")


def total(numbers):
    time.sleep(0.2)
    return sum(numbers)


def report():
    return "%d\n" % POOL.submit(total, [1, 2, 3]).result()


@app.get("/report")
def report_view():
    return POOL.submit(report).result()


if __name__ == "__main__":
    common.serve(app)

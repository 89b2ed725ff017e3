"""A view leaves `with ThreadPoolExecutor()` with a lock in its hands that a job of the pool wants (lock + shutdown)."""
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
TOTALS = threading.Lock()


def add(number):
    common.stuck("guilty-job")
    with TOTALS:  # <- guilty-job
        return number


def sum_up():
    with TOTALS:
        common.stuck("guilty-view")
        with ThreadPoolExecutor(max_workers=1) as pool:  # <- guilty-view
            pool.submit(add, 1)


@app.get("/sum")
def sum_view():
    sum_up()
    return "summed\n"


if __name__ == "__main__":
    common.serve(app)

"""A saturated pool: many jobs in its queue, none of which waits for another one."""
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="reports")


def report():
    time.sleep(0.1)
    return "ok\n"


@app.get("/report")
def report_view():
    return POOL.submit(report).result()


if __name__ == "__main__":
    common.serve(app)

"""A slow job in a pool's worker makes progress all the time while a request awaits its result."""
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="jobs")
PROGRESS = {"step": 0}


def import_rows():
    for step in range(6000):
        PROGRESS["step"] = sum(range(20000)) and step
        time.sleep(0.01)
    return "imported\n"


@app.get("/import")
def import_view():
    job = POOL.submit(import_rows)
    common.say("started")
    return job.result(timeout=300)


@app.get("/progress")
def progress():
    return "%d\n" % PROGRESS["step"]


if __name__ == "__main__":
    common.serve(app)

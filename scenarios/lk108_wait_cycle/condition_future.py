"""gunicorn: a view waits for a pool's future inside `with condition:`; the job wants to notify that condition (Condition + future)."""
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
CHANGED = threading.Condition()
STARTING = threading.Lock()
POOL = None


def pool():
    global POOL
    with STARTING:
        if POOL is None:
            POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="pool")
        return POOL


def recompute():
    common.stuck("guilty-job")
    with CHANGED:  # <- guilty-job
        CHANGED.notify_all()
        return "computed\n"


@app.get("/compute")
def compute():
    with CHANGED:
        job = pool().submit(recompute)
        common.stuck("guilty-view")
        return job.result()  # <- guilty-view

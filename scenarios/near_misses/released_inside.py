"""A view gives its lock back inside `with lock:` while it waits, and takes it again: it stands there, and does not hold it."""
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
LOCK = threading.Lock()
POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="pool")


def compute():
    with LOCK:
        time.sleep(0.1)
        return "computed\n"


@app.get("/compute")
def compute_view():
    with LOCK:
        future = POOL.submit(compute)
        LOCK.release()
        try:
            return future.result()
        finally:
            LOCK.acquire()


if __name__ == "__main__":
    common.serve(app)

"""A view holds a lock and waits for the first of two futures: one needs that lock, the other needs nothing. Any one will do."""
import concurrent.futures
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
LOCK = threading.RLock()
POOL = ThreadPoolExecutor(max_workers=8, thread_name_prefix="pool")


def with_lock():
    with LOCK:
        return "from the store\n"


def without_lock():
    time.sleep(0.3)
    return "from the cache\n"


@app.get("/first")
def first():
    with LOCK:
        both = [POOL.submit(with_lock), POOL.submit(without_lock)]
        done, _ = concurrent.futures.wait(both, return_when=concurrent.futures.FIRST_COMPLETED)
    return done.pop().result()


if __name__ == "__main__":
    common.serve(app)

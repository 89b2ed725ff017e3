"""Looks like a lock and future cycle, but the view's wait for the future has a timeout, and it retries."""
import concurrent.futures
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
CACHE_LOCK = threading.Lock()
POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="cache-pool")


def reload_cache():
    with CACHE_LOCK:
        return "reloaded\n"


@app.get("/reload")
def reload_view():
    with CACHE_LOCK:
        future = POOL.submit(reload_cache)
        try:
            return future.result(timeout=0.2)
        except concurrent.futures.TimeoutError:
            pass
    return future.result(timeout=10)


if __name__ == "__main__":
    common.serve(app)

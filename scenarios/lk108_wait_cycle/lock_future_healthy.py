"""The same reload; the view holds no lock while it waits for the pool."""
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, jsonify

import common

app = Flask(__name__)
CACHE_LOCK = threading.RLock()
CACHE = {}
POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="cache-pool")


def reload_cache():
    time.sleep(0.1)
    with CACHE_LOCK:
        CACHE["answer"] = 42
        return len(CACHE)


@app.get("/reload")
def reload_view():
    entries = POOL.submit(reload_cache).result(timeout=10)
    return jsonify(entries=entries)


if __name__ == "__main__":
    common.serve(app)

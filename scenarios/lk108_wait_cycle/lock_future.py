"""No event loop: a view holds an RLock and waits for a pool's future, whose worker needs the RLock."""
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, jsonify

import common

app = Flask(__name__)
CACHE_LOCK = threading.RLock()
CACHE = {}
POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="cache-pool")


def reload_cache():
    common.stuck("guilty-worker")
    with CACHE_LOCK:  # <- guilty-worker
        CACHE["answer"] = 42
        return len(CACHE)


@app.get("/reload")
def reload_view():
    with CACHE_LOCK:
        future = POOL.submit(reload_cache)
        common.stuck("guilty-view")
        entries = future.result()  # <- guilty-view
    return jsonify(entries=entries)


if __name__ == "__main__":
    common.serve(app)

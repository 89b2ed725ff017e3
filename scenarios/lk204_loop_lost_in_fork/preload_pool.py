"""gunicorn --preload: a full thread pool is inherited from the master; its threads are not."""
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="pool")
STARTED = threading.Barrier(2)
list(POOL.map(lambda _: STARTED.wait(20), range(2)))


@app.get("/job")
def job():
    future = POOL.submit(len, "abc")
    common.stuck()
    return "%d\n" % future.result()  # <- guilty

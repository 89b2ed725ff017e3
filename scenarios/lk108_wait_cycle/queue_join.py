"""A pool's job, working off a queue's item, waits until that queue is worked off; a view waits for the job (Queue.join + future)."""
import queue
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
ITEMS = queue.Queue()
POOL = ThreadPoolExecutor(max_workers=1, thread_name_prefix="consumer")


def consume():
    item = ITEMS.get()
    common.stuck("guilty-job")
    ITEMS.join()  # <- guilty-job
    ITEMS.task_done()
    return item


@app.get("/push")
def push():
    ITEMS.put("pushed\n")
    job = POOL.submit(consume)
    common.stuck("guilty-view")
    return job.result()  # <- guilty-view


if __name__ == "__main__":
    common.serve(app)

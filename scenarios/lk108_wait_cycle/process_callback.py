"""A process pool calls the callbacks of its results on the one thread that hands them all on; one waits there for another result."""
import time
from concurrent.futures import ProcessPoolExecutor

from flask import Flask

import common

app = Flask(__name__)
POOL = ProcessPoolExecutor(max_workers=1)


def weigh(parcel):
    time.sleep(0.2)
    return parcel * 2


def weigh_again(first):
    common.stuck("guilty-callback")
    POOL.submit(weigh, first.result()).result()  # <- guilty-callback


def pack(first):
    common.say("started")
    for _ in range(36000):
        time.sleep(0.1)


@app.get("/total")
def total():
    POOL.submit(weigh, 1).add_done_callback(weigh_again)
    second = POOL.submit(weigh, 2)
    common.stuck()
    return "%d\n" % second.result()  # <- guilty


@app.get("/packed")
def packed():
    POOL.submit(weigh, 1).add_done_callback(pack)
    return "%d\n" % POOL.submit(weigh, 2).result()


if __name__ == "__main__":
    common.serve(app)

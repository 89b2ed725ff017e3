"""A background loop hammered by call_soon_threadsafe from three threads; HOG=1 adds a thread that hogs the GIL."""
import asyncio
import os
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
COUNT = {"calls": 0}
ROOM = threading.Semaphore(2000)


def called():
    COUNT["calls"] += 1
    ROOM.release()


def hammer():
    while True:
        ROOM.acquire()
        LOOP.call_soon_threadsafe(called)
        if COUNT["calls"] % 50 == 0:
            time.sleep(0.001)


def hog():
    total = 0
    while True:
        total = (total * 31 + 7) % 1000003


for number in range(3):
    threading.Thread(target=hammer, name="hammer-%d" % number, daemon=True).start()
if os.environ.get("HOG"):
    threading.Thread(target=hog, name="hog", daemon=True).start()


async def count():
    return "%d\n" % COUNT["calls"]


@app.get("/count")
def count_view():
    return asyncio.run_coroutine_threadsafe(count(), LOOP).result(timeout=30)


if __name__ == "__main__":
    common.serve(app)

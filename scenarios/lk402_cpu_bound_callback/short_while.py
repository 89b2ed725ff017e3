"""A callback that computes for some 300 ms, time and again: slow, and worth a word, but each time it ends."""
import asyncio
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def crunch(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))


async def crunch_a_while():
    crunch(0.3)
    return "ok\n"


@app.get("/crunch")
def crunch_view():
    return asyncio.run_coroutine_threadsafe(crunch_a_while(), LOOP).result(timeout=20)


if __name__ == "__main__":
    common.serve(app)

"""Waiters stand inside `with condition:` but do not hold it: Condition.wait gave it back, and others take it meanwhile."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
CHANGED = threading.Condition(threading.Lock())
STATE = {"version": 0}


async def bump():
    await asyncio.sleep(0.05)
    with CHANGED:
        STATE["version"] += 1
        CHANGED.notify_all()


@app.get("/next")
def next_version():
    with CHANGED:
        seen = STATE["version"]
        asyncio.run_coroutine_threadsafe(bump(), LOOP)
        while STATE["version"] == seen:
            CHANGED.wait()
    return "%d\n" % STATE["version"]


def watch():
    with CHANGED:
        while STATE["version"] >= 0:
            CHANGED.wait()


for number in range(2):
    threading.Thread(target=watch, name="watcher-%d" % number, daemon=True).start()


if __name__ == "__main__":
    common.serve(app)

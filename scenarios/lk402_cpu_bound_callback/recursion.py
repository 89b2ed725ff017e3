"""A coroutine on the background loop computes by recursion: every other request waits behind it."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


# On one line: a call that has only just been entered stands at its `def`.
def ways(n): return 1 if n < 2 else ways(n - 1) + ways(n - 2)  # noqa: E704  # <- guilty


async def count_ways(n):
    common.computes(ways)
    return "%d\n" % ways(n)


async def version():
    return "1.0\n"


@app.get("/ways")
def ways_view():
    future = asyncio.run_coroutine_threadsafe(count_ways(90), LOOP)
    common.waiting()
    return future.result()


@app.get("/version")
def version_view():
    future = asyncio.run_coroutine_threadsafe(version(), LOOP)
    common.waiting()
    return future.result()


if __name__ == "__main__":
    common.serve(app)

"""A loop that a scheduler thread runs in bursts by run_until_complete; requests submit to it meanwhile."""
import asyncio
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()


async def tick():
    await asyncio.sleep(0.02)


def run_in_bursts():
    while True:
        LOOP.run_until_complete(tick())
        time.sleep(0.03)


threading.Thread(target=run_in_bursts, name="scheduler", daemon=True).start()


async def double(number):
    await asyncio.sleep(0.05)
    return "%d\n" % (2 * number)


@app.get("/double")
def double_view():
    return asyncio.run_coroutine_threadsafe(double(21), LOOP).result(timeout=10)


if __name__ == "__main__":
    common.serve(app)

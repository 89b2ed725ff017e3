"""The computation cut into short steps: the loop serves the others between them."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def add_up(begin, end):
    return sum(range(begin, end))


async def add_all():
    total = 0
    for begin in range(0, 200000, 20000):
        total += add_up(begin, begin + 20000)
        await asyncio.sleep(0)
    return "%d\n" % total


@app.get("/sum")
def sum_view():
    return asyncio.run_coroutine_threadsafe(add_all(), LOOP).result(timeout=10)


if __name__ == "__main__":
    common.serve(app)

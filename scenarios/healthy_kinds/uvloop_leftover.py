"""uvloop runs in a background thread; one idle asyncio loop was left over from before."""
import asyncio
import threading

import uvloop
from flask import Flask

import common

app = Flask(__name__)
LEFTOVER = asyncio.new_event_loop()
LOOP = uvloop.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="uv-loop", daemon=True).start()


async def double(number):
    await asyncio.sleep(0.1)
    return "%d\n" % (2 * number)


@app.get("/double")
def double_view():
    return asyncio.run_coroutine_threadsafe(double(21), LOOP).result(timeout=10)


if __name__ == "__main__":
    common.serve(app)

"""uvloop's policy installed first of all, for every loop of the process: the background loop's and Flask's async views'."""
import asyncio
import threading

import uvloop
from flask import Flask

import common

uvloop.install()
app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def answer():
    await asyncio.sleep(0.1)
    return "answer\n"


@app.get("/view")
async def view():
    return await answer()


@app.get("/background")
def background():
    return asyncio.run_coroutine_threadsafe(answer(), LOOP).result(timeout=30)


if __name__ == "__main__":
    common.serve(app)

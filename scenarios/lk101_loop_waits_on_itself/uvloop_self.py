"""A coroutine on uvloop waits for another coroutine of that uvloop; Flask views wait behind it."""
import asyncio
import threading

import uvloop
from flask import Flask

import common

app = Flask(__name__)
LOOP = uvloop.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="uv-loop", daemon=True).start()


async def lookup():
    return "found\n"


async def report():
    future = asyncio.run_coroutine_threadsafe(lookup(), LOOP)
    common.stuck()
    return future.result()  # <- guilty


@app.get("/report")
def report_view():
    future = asyncio.run_coroutine_threadsafe(report(), LOOP)
    common.waiting()
    return future.result()


if __name__ == "__main__":
    common.serve(app)

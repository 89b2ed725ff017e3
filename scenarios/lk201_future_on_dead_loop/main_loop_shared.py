"""Views have no loop of their own, so they share the main thread's loop object: one drives it, another submits to it.

When the first request's run_until_complete() returns, the loop stops under the second one.
"""
import asyncio

from flask import Flask, jsonify

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
asyncio.set_event_loop(LOOP)


async def quick():
    common.say("driving")
    await asyncio.sleep(0.3)
    return "quick"


async def slow():
    await asyncio.sleep(2)
    return "slow"


@app.get("/quick")
def quick_view():
    return jsonify(result=LOOP.run_until_complete(quick()))


@app.get("/slow")
def slow_view():
    future = asyncio.run_coroutine_threadsafe(slow(), LOOP)
    common.stuck()
    return jsonify(result=future.result())  # <- guilty


if __name__ == "__main__":
    common.serve(app)

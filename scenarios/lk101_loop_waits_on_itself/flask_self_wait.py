"""A coroutine on the shared background loop waits for its own loop, two helper functions deep, without awaiting."""
import asyncio
import threading

from flask import Flask, jsonify

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def query_rows():
    await asyncio.sleep(0.01)
    return [1, 2, 3]


def call_backend():
    future = asyncio.run_coroutine_threadsafe(query_rows(), LOOP)
    common.stuck()
    return future.result()  # <- guilty


def load_rows():
    return call_backend()


async def build_report():
    return {"rows": load_rows()}


@app.get("/report")
def report():
    future = asyncio.run_coroutine_threadsafe(build_report(), LOOP)
    common.waiting()
    return jsonify(future.result())


if __name__ == "__main__":
    common.serve(app)

"""The same report; the coroutine awaits its rows, and the view does not wait for ever."""
import asyncio
import threading

from flask import Flask, jsonify

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def query_rows():
    await asyncio.sleep(0.2)
    return [1, 2, 3]


async def call_backend():
    return await query_rows()


async def load_rows():
    return await call_backend()


async def build_report():
    return {"rows": await load_rows()}


@app.get("/report")
def report():
    future = asyncio.run_coroutine_threadsafe(build_report(), LOOP)
    return jsonify(future.result(timeout=10))


if __name__ == "__main__":
    common.serve(app)

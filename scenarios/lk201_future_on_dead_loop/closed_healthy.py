"""The same jobs and the same /stop; the loop is stopped only after its tasks were cancelled and awaited."""
import asyncio
import concurrent.futures
import threading

from flask import Flask, jsonify

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def work():
    await asyncio.sleep(0.3)
    return "done"


async def cancel_all():
    others = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    return len(others)


@app.get("/job")
def job():
    future = asyncio.run_coroutine_threadsafe(work(), LOOP)
    try:
        return jsonify(result=future.result(timeout=10))
    except concurrent.futures.CancelledError:
        return jsonify(result="cancelled")


@app.get("/stop")
def stop():
    cancelled = asyncio.run_coroutine_threadsafe(cancel_all(), LOOP).result(timeout=10)
    return jsonify(cancelled=cancelled)


if __name__ == "__main__":
    common.serve(app)

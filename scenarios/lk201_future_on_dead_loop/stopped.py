"""A request waits for a coroutine on a loop that was stopped: not closed, and nobody runs it again."""
import asyncio
import threading

from flask import Flask, jsonify

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
RESTART = threading.Event()


def run_loop():
    while True:
        LOOP.run_forever()
        common.say("stopped")
        RESTART.wait()
        RESTART.clear()


threading.Thread(target=run_loop, name="bg-loop", daemon=True).start()


async def work():
    common.say("started")
    await asyncio.sleep(0.5)
    return "done"


@app.get("/job")
def job():
    future = asyncio.run_coroutine_threadsafe(work(), LOOP)
    common.stuck()
    return jsonify(result=future.result())  # <- guilty


@app.get("/pause")
def pause():
    LOOP.call_soon_threadsafe(LOOP.stop)
    return "pausing\n"


if __name__ == "__main__":
    common.serve(app)

"""A request waits for a coroutine on a loop that another request has stopped and closed."""
import asyncio
import threading

from flask import Flask, jsonify

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()


def run_loop():
    LOOP.run_forever()
    LOOP.close()
    common.say("closed")


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


@app.get("/stop")
def stop():
    LOOP.call_soon_threadsafe(LOOP.stop)
    return "stopping\n"


if __name__ == "__main__":
    common.serve(app)

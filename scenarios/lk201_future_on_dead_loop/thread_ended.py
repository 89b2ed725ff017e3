"""A coroutine calls sys.exit(): the loop's thread ends without a word, and the next submission waits for ever."""
import asyncio
import sys
import threading

from flask import Flask, jsonify

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()


def run_loop():
    try:
        LOOP.run_forever()
    finally:
        common.say("died")


threading.Thread(target=run_loop, name="bg-loop", daemon=True).start()


async def check_license():
    sys.exit("license expired")


async def work():
    await asyncio.sleep(0.1)
    return "done"


@app.get("/license")
def license_view():
    LOOP.call_soon_threadsafe(LOOP.create_task, check_license())
    return "checking\n"


@app.get("/job")
def job():
    future = asyncio.run_coroutine_threadsafe(work(), LOOP)
    common.stuck()
    return jsonify(result=future.result())  # <- guilty


if __name__ == "__main__":
    common.serve(app)

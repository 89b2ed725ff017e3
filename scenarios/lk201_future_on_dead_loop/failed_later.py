"""The same, and a thread that sleeps will fail whatever its table of jobs has."""
import asyncio
import threading
import time

from flask import Flask, jsonify

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
JOBS = {}


def run_loop():
    LOOP.run_forever()
    LOOP.close()
    common.say("closed")


def fail_old_jobs():
    time.sleep(600)
    for future in JOBS.values():
        future.set_exception(TimeoutError())


for target in (run_loop, fail_old_jobs):
    threading.Thread(target=target, name=target.__name__, daemon=True).start()


async def work():
    common.say("started")
    await asyncio.sleep(0.5)
    return "done"


@app.get("/job")
def job():
    future = asyncio.run_coroutine_threadsafe(work(), LOOP)
    JOBS[len(JOBS)] = future
    common.stuck()
    return jsonify(result=future.result())  # <- guilty


@app.get("/stop")
def stop():
    LOOP.call_soon_threadsafe(LOOP.stop)
    return "stopping\n"


if __name__ == "__main__":
    common.serve(app)

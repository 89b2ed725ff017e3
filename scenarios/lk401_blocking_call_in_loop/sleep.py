"""A coroutine on the background loop calls time.sleep: every other request waits behind it."""
import asyncio
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def poll_device():
    common.stuck()
    time.sleep(3600)  # <- guilty
    return "ok\n"


async def device_state():
    return poll_device()


async def version():
    return "1.0\n"


@app.get("/device")
def device_view():
    future = asyncio.run_coroutine_threadsafe(device_state(), LOOP)
    common.waiting()
    return future.result()


@app.get("/version")
def version_view():
    future = asyncio.run_coroutine_threadsafe(version(), LOOP)
    common.waiting()
    return future.result()


if __name__ == "__main__":
    common.serve(app)

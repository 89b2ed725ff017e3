"""The same blocking call handed to a thread with asyncio.to_thread; the loop stays free."""
import asyncio
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def poll_device():
    time.sleep(0.3)
    return "ok\n"


async def device_state():
    return await asyncio.to_thread(poll_device)


async def version():
    return "1.0\n"


@app.get("/device")
def device_view():
    return asyncio.run_coroutine_threadsafe(device_state(), LOOP).result(timeout=10)


@app.get("/version")
def version_view():
    return asyncio.run_coroutine_threadsafe(version(), LOOP).result(timeout=10)


if __name__ == "__main__":
    common.serve(app)

"""Middleware that expects sync execution: a coroutine's helper hides the running loop and runs another one inside of it."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def lock_from_server():
    await asyncio.sleep(120)
    return "locked\n"


def run_sync(coroutine):
    """Runs a coroutine to its end, also where a loop runs already."""
    asyncio._set_running_loop(None)
    inner = asyncio.new_event_loop()
    try:
        common.stuck()
        return inner.run_until_complete(coroutine)  # <- guilty
    finally:
        inner.close()
        asyncio._set_running_loop(LOOP)


async def middleware():
    return run_sync(lock_from_server())


async def version():
    return "1.0\n"


@app.get("/lock")
def lock_view():
    future = asyncio.run_coroutine_threadsafe(middleware(), LOOP)
    common.waiting()
    return future.result(timeout=100)


@app.get("/version")
def version_view():
    future = asyncio.run_coroutine_threadsafe(version(), LOOP)
    common.waiting()
    return future.result(timeout=100)


if __name__ == "__main__":
    common.serve(app)

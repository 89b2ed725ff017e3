"""gunicorn: one request waits for a closed loop with a lock in its hands; the others wait for the lock."""
import asyncio
import threading

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
LOCK = threading.Lock()


async def refresh():
    await asyncio.sleep(3600)


@app.get("/refresh")
def refresh_view():
    loop = asyncio.new_event_loop()
    future = asyncio.run_coroutine_threadsafe(refresh(), loop)
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    with LOCK:
        common.stuck()
        future.result()  # <- guilty
    return "refreshed\n"


@app.get("/read")
def read():
    common.waiting()
    with LOCK:
        return "read\n"

"""On uvloop, behind Flask: a context manager's lock is held across an await, and a plain callback wants it on the loop's thread."""
import asyncio
import contextlib
import threading

import uvloop
from flask import Flask

import common

app = Flask(__name__)
LOCK = threading.Lock()
LOOP = uvloop.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


@contextlib.contextmanager
def session():
    with LOCK:
        yield {"user": "ann"}


def expire():
    common.stuck("guilty-expire")
    with LOCK:  # <- guilty-expire
        return None


async def profile():
    with session() as current:
        asyncio.get_running_loop().call_soon(expire)
        common.suspended("guilty-profile")
        await asyncio.sleep(0.1)  # <- guilty-profile
        return current["user"]


@app.get("/profile")
def profile_view():
    future = asyncio.run_coroutine_threadsafe(profile(), LOOP)
    common.waiting()
    return future.result()


if __name__ == "__main__":
    common.serve(app)

"""The loop that waits for itself, in a gunicorn gthread worker."""
import asyncio
import threading

from flask import Flask, jsonify

import common

app = common.add_ping(Flask(__name__))
LOOP = None
STARTING = threading.Lock()


def loop():
    """The worker's own loop: made after the fork, on first use."""
    global LOOP
    with STARTING:
        if LOOP is None:
            LOOP = asyncio.new_event_loop()
            threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
        return LOOP


async def lookup(user):
    await asyncio.sleep(0.01)
    return {"user": user}


def lookup_sync(user):
    future = asyncio.run_coroutine_threadsafe(lookup(user), loop())
    common.stuck()
    return future.result()  # <- guilty


async def profile(user):
    return lookup_sync(user)


@app.get("/profile")
def show_profile():
    future = asyncio.run_coroutine_threadsafe(profile("ann"), loop())
    common.waiting()
    return jsonify(future.result())

"""The same profile in a gunicorn gthread worker; the coroutine awaits."""
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
    await asyncio.sleep(0.2)
    return {"user": user}


async def profile(user):
    return await lookup(user)


@app.get("/profile")
def show_profile():
    future = asyncio.run_coroutine_threadsafe(profile("ann"), loop())
    return jsonify(future.result(timeout=10))

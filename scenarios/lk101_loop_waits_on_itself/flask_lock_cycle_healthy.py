"""The same refresh; the lock is held only for the assignment, never while waiting for the loop."""
import asyncio
import threading

from flask import Flask, jsonify

import common

app = Flask(__name__)
STATE_LOCK = threading.Lock()
STATE = {"version": 0}
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def refresh():
    await asyncio.sleep(0.1)
    with STATE_LOCK:
        STATE["version"] += 1
        return STATE["version"]


@app.get("/refresh")
def refresh_now():
    version = asyncio.run_coroutine_threadsafe(refresh(), LOOP).result(timeout=10)
    return jsonify(version=version)


if __name__ == "__main__":
    common.serve(app)

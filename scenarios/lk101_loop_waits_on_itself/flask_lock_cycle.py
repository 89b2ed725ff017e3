"""A view holds a lock while it waits for the loop; the coroutine it waits for wants that lock on the loop's thread."""
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
    common.stuck("guilty-loop")
    with STATE_LOCK:  # <- guilty-loop
        STATE["version"] += 1
        return STATE["version"]


@app.get("/refresh")
def refresh_now():
    with STATE_LOCK:
        future = asyncio.run_coroutine_threadsafe(refresh(), LOOP)
        common.stuck("guilty-view")
        version = future.result()  # <- guilty-view
    return jsonify(version=version)


if __name__ == "__main__":
    common.serve(app)

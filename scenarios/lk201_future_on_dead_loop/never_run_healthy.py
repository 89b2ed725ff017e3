"""The same; the loop runs in a thread of its own before the server starts."""
import asyncio
import threading

from flask import Flask, jsonify

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()


async def heartbeat():
    while True:
        await asyncio.sleep(1)


async def work():
    await asyncio.sleep(0.1)
    return "done"


@app.get("/job")
def job():
    future = asyncio.run_coroutine_threadsafe(work(), LOOP)
    return jsonify(result=future.result(timeout=10))


if __name__ == "__main__":
    BEAT = LOOP.create_task(heartbeat())
    threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
    common.announce_app_run(app)
    app.run("127.0.0.1", 0, use_reloader=False)

"""app.run() blocks: the loop.run_forever() below it is never reached, and nobody runs the loop."""
import asyncio

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
    common.stuck()
    return jsonify(result=future.result())  # <- guilty


if __name__ == "__main__":
    BEAT = LOOP.create_task(heartbeat())
    common.announce_app_run(app)
    app.run("127.0.0.1", 0, use_reloader=False)
    LOOP.run_forever()

"""The same jobs; the loop is never stopped: a pause is an asyncio.Event that the coroutines await with a timeout."""
import asyncio
import threading

from flask import Flask, jsonify

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
GO = asyncio.Event()
LOOP.call_soon_threadsafe(GO.set)


async def work():
    await asyncio.wait_for(GO.wait(), timeout=5)
    await asyncio.sleep(0.2)
    return "done"


async def pause_briefly():
    GO.clear()
    await asyncio.sleep(0.1)
    GO.set()


@app.get("/job")
def job():
    if not LOOP.is_running():
        return "the background loop is down\n", 503
    future = asyncio.run_coroutine_threadsafe(work(), LOOP)
    return jsonify(result=future.result(timeout=10))


@app.get("/pause")
def pause():
    asyncio.run_coroutine_threadsafe(pause_briefly(), LOOP).result(timeout=10)
    return "paused and resumed\n"


if __name__ == "__main__":
    common.serve(app)

"""A long poll: the view waits, bounded, for a coroutine that awaits the next message."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
MESSAGES = asyncio.Queue()


async def next_message():
    try:
        return await asyncio.wait_for(MESSAGES.get(), timeout=55)
    except asyncio.TimeoutError:
        return "nothing\n"


@app.get("/poll")
def poll():
    future = asyncio.run_coroutine_threadsafe(next_message(), LOOP)
    common.waiting()
    return future.result(timeout=60)


if __name__ == "__main__":
    common.serve(app)

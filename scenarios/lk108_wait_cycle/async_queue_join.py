"""The consumer of an asyncio.Queue waits until its own item is done; a Flask view waits for it."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def consume():
    items = asyncio.Queue()
    items.put_nowait("item\n")
    item = await items.get()
    common.suspended("guilty-consumer")
    await items.join()  # <- guilty-consumer
    items.task_done()
    return item


@app.get("/push")
def push():
    future = asyncio.run_coroutine_threadsafe(consume(), LOOP)
    common.stuck("guilty-view")
    return future.result()  # <- guilty-view


if __name__ == "__main__":
    common.serve(app)

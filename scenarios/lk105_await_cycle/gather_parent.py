"""A child task, gathered by its parent, awaits that parent; a Flask view waits for the parent."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def child(parent):
    await asyncio.sleep(0)
    common.suspended("guilty-child")
    return await parent  # <- guilty-child


async def parent():
    me = asyncio.current_task()
    common.suspended("guilty-parent")
    return await asyncio.gather(asyncio.sleep(0.05), child(me))  # <- guilty-parent


@app.get("/tree")
def tree():
    future = asyncio.run_coroutine_threadsafe(parent(), LOOP)
    common.waiting()
    return str(future.result())


if __name__ == "__main__":
    common.serve(app)

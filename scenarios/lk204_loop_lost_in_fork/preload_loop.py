"""gunicorn --preload: the loop's thread is started on import, in the master; the workers wait for it in vain."""
import asyncio
import threading

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
asyncio.run_coroutine_threadsafe(asyncio.sleep(0), LOOP).result()


async def lookup():
    return "found\n"


@app.get("/lookup")
def lookup_view():
    future = asyncio.run_coroutine_threadsafe(lookup(), LOOP)
    common.stuck()
    return future.result()  # <- guilty

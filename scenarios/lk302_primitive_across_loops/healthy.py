"""The same service, awaited by way of run_coroutine_threadsafe and wrap_future: the waiter's own loop is woken."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def refresh():
    await asyncio.sleep(0.05)
    return "fresh\n"


@app.get("/prices")
async def prices_view():
    refreshed = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(refresh(), LOOP))
    await asyncio.wait([refreshed])
    return await refreshed


if __name__ == "__main__":
    common.serve(app)

"""Near miss: nest_asyncio, which says of itself that it nests loops: callbacks of the outer loop run inside of the inner call."""
import asyncio
import threading

import nest_asyncio
from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
nest_asyncio.apply(LOOP)
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def fetch():
    await asyncio.sleep(0.2)
    return "fetched\n"


async def fetch_nested():
    return LOOP.run_until_complete(fetch())


@app.get("/fetch")
def fetch_view():
    return asyncio.run_coroutine_threadsafe(fetch_nested(), LOOP).result(timeout=30)


if __name__ == "__main__":
    common.serve(app)

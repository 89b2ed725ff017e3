"""Near miss: futures awaited without a timeout, each of which is done in a moment."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def price():
    await asyncio.sleep(0.3)
    return "7\n"


@app.get("/price")
def price_view():
    return asyncio.run_coroutine_threadsafe(price(), LOOP).result()


if __name__ == "__main__":
    common.serve(app)

"""Near miss: the first request starts the loop too, but in a thread of its own, and returns."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOCK = threading.Lock()
STATE = {}


def loop():
    with LOCK:
        if "loop" not in STATE:
            STATE["loop"] = asyncio.new_event_loop()
            threading.Thread(target=STATE["loop"].run_forever, name="lazy-loop", daemon=True).start()
        return STATE["loop"]


async def price():
    await asyncio.sleep(0.05)
    return "7\n"


@app.get("/price")
def price_view():
    return asyncio.run_coroutine_threadsafe(price(), loop()).result(timeout=10)


if __name__ == "__main__":
    common.serve(app)

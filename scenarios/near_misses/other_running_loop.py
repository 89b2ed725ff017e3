"""A coroutine of one loop blocks, bounded and briefly, for a coroutine of another loop that runs: a bad habit, no cycle."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
FRONT, BACK = asyncio.new_event_loop(), asyncio.new_event_loop()
threading.Thread(target=FRONT.run_forever, name="front-loop", daemon=True).start()
threading.Thread(target=BACK.run_forever, name="back-loop", daemon=True).start()


async def fetch():
    await asyncio.sleep(0.1)
    return "fetched\n"


async def front():
    return asyncio.run_coroutine_threadsafe(fetch(), BACK).result(timeout=5)


@app.get("/fetch")
def fetch_view():
    return asyncio.run_coroutine_threadsafe(front(), FRONT).result(timeout=10)


if __name__ == "__main__":
    common.serve(app)

"""The same wait for a closed loop, with a timeout: the request fails after a while, and the server goes on."""
import asyncio
import concurrent.futures

from flask import Flask

import common

app = Flask(__name__)


async def refresh():
    await asyncio.sleep(3600)


@app.get("/refresh")
def refresh_view():
    loop = asyncio.new_event_loop()
    future = asyncio.run_coroutine_threadsafe(refresh(), loop)
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    common.waiting("blocks")
    try:
        future.result(timeout=60)
    except concurrent.futures.TimeoutError:
        pass
    return "refreshed\n"


if __name__ == "__main__":
    common.serve(app)

"""gunicorn: a helper makes a loop for each request thread, sets it, and forgets it."""
import asyncio

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
KEEP = []


async def fetch():
    return "fetched\n"


def run(coroutine):
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    KEEP.append(loop)  # as a cache or a traceback would
    return loop.run_until_complete(coroutine)


@app.get("/fetch")
def fetch_view():
    return run(fetch())

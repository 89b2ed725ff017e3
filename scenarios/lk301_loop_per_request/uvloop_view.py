"""Each request thread makes a uvloop loop and runs it itself; uvloop's methods leave no Python frame."""
import asyncio

import uvloop
from flask import Flask

import common

app = Flask(__name__)


async def fetch():
    await asyncio.sleep(120)
    return "fetched\n"


@app.get("/fetch")
def fetch_view():
    loop = uvloop.new_event_loop()
    try:
        common.stuck()
        return loop.run_until_complete(fetch())  # <- guilty
    finally:
        loop.close()


if __name__ == "__main__":
    common.serve(app)

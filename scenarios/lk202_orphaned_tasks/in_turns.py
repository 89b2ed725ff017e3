"""A loop that is run for one request after the other carries on with its background task each time."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
TURN = threading.Lock()
BACKGROUND = []


async def tick():
    while True:
        await asyncio.sleep(0.02)


async def answer():
    if not BACKGROUND:
        BACKGROUND.append(asyncio.ensure_future(tick()))
    await asyncio.sleep(0.05)
    return "answer\n"


@app.get("/ask")
def ask():
    with TURN:
        return LOOP.run_until_complete(answer())


if __name__ == "__main__":
    common.serve(app)

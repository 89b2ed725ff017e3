"""A loop that is stopped and run again in turns: waiting for it is fine."""
import asyncio
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()


def drive():
    while True:
        LOOP.run_until_complete(asyncio.sleep(0.1))
        time.sleep(0.1)


threading.Thread(target=drive, name="driver", daemon=True).start()


async def answer():
    return "answer\n"


@app.get("/ask")
def ask():
    return asyncio.run_coroutine_threadsafe(answer(), LOOP).result()


if __name__ == "__main__":
    common.serve(app)

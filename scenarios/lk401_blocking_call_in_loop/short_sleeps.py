"""Callbacks that sleep for 10 ms each, one after the other, on a loop that is never idle; and long calls where they belong."""
import asyncio
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def nap():
    time.sleep(0.01)


def again():
    nap()
    LOOP.call_soon(again)


async def long_call():
    await asyncio.to_thread(time.sleep, 0.5)
    return "ok\n"


@app.get("/long")
def long_view():
    return asyncio.run_coroutine_threadsafe(long_call(), LOOP).result(timeout=20)


if __name__ == "__main__":
    LOOP.call_soon_threadsafe(again)
    common.serve(app)

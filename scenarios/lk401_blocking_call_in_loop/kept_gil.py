"""A view waits in a C library: one that keeps the GIL keeps a loop on another thread from running, too."""
import asyncio
import ctypes
import os
import threading

from flask import Flask

import common

app = Flask(__name__)
loop = asyncio.new_event_loop()
keeping, giving = ctypes.PyDLL(None), ctypes.CDLL(None)


async def heartbeat():
    while True:
        await asyncio.sleep(0.05)


@app.get("/kept")
def kept():
    asyncio.run_coroutine_threadsafe(heartbeat(), loop)
    common.stuck("guilty")
    keeping.sleep(1000)  # <- guilty
    return "done\n"


@app.get("/given")
def given():
    asyncio.run_coroutine_threadsafe(heartbeat(), loop)
    common.waiting()
    giving.sleep(1000)
    return "done\n"


if __name__ == "__main__":
    threading.Thread(target=loop.run_forever, name="loop", daemon=True).start()
    common.serve(app)

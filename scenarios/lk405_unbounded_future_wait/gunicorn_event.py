"""A view waits for a coroutine that waits for the customer: an asyncio.Event that a later request sets, or not."""
import asyncio
import threading

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
SIGNED = {}


async def signature(contract):
    event = SIGNED.setdefault(contract, asyncio.Event())
    common.suspended("waits")
    await event.wait()  # <- waits
    return "signed\n"


@app.get("/sign/<contract>")
def sign(contract):
    future = asyncio.run_coroutine_threadsafe(signature(contract), LOOP)
    common.stuck()
    return future.result()  # <- guilty


@app.get("/signed/<contract>")
def signed(contract):
    LOOP.call_soon_threadsafe(SIGNED[contract].set)
    return "thanks\n"

"""gunicorn --preload with a loop in the master too; but each worker starts a loop of its own after the fork."""
import asyncio
import os
import threading

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
LOOPS = {}


def loop():
    pid = os.getpid()
    if pid not in LOOPS:
        LOOPS[pid] = asyncio.new_event_loop()
        threading.Thread(target=LOOPS[pid].run_forever, name="bg-loop", daemon=True).start()
    return LOOPS[pid]


async def lookup():
    await asyncio.sleep(0.05)
    return "found\n"


asyncio.run_coroutine_threadsafe(lookup(), loop()).result()
os.register_at_fork(after_in_child=loop)


@app.get("/lookup")
def lookup_view():
    return asyncio.run_coroutine_threadsafe(lookup(), loop()).result()

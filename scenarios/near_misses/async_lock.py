"""Coroutines hold an asyncio.Lock across awaits and hand it on; tasks wait for tasks, and every one gets its turn."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
LOCK = asyncio.Lock()


async def update():
    async with LOCK:
        await asyncio.sleep(0.05)
        return "updated\n"


@app.get("/update")
def update_view():
    return asyncio.run_coroutine_threadsafe(update(), LOOP).result()


if __name__ == "__main__":
    common.serve(app)

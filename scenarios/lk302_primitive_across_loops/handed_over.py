"""A primitive made before any loop ran, used by one loop only; other threads and loops hand over by call_soon_threadsafe."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
LETTERS = asyncio.Queue()


async def send_letters(letters):
    while True:
        done = await letters.get()
        await asyncio.sleep(0.01)
        done.set()


@app.get("/send")
async def send_view():
    letters, done = LETTERS, threading.Event()
    LOOP.call_soon_threadsafe(letters.put_nowait, done)
    await asyncio.to_thread(done.wait, 10)
    return "sent\n"


if __name__ == "__main__":
    asyncio.run_coroutine_threadsafe(send_letters(LETTERS), LOOP)
    common.serve(app)

"""The same listener on a loop that was started with the process, in a daemon thread."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
MESSAGES = asyncio.Queue()


async def listen():
    while True:
        await MESSAGES.get()


LISTENER = asyncio.run_coroutine_threadsafe(listen(), LOOP)


@app.get("/listen")
def send_message():
    LOOP.call_soon_threadsafe(MESSAGES.put_nowait, "hello")
    return "sent\n"


if __name__ == "__main__":
    common.serve(app)

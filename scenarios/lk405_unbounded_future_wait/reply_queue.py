"""A view waits for the next item of a queue that some later request fills, or does not: no consumer, a request."""
import asyncio
import threading

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
REPLIES = asyncio.Queue()


@app.get("/ask")
def ask():
    future = asyncio.run_coroutine_threadsafe(REPLIES.get(), LOOP)
    common.stuck()
    return future.result()  # <- guilty


@app.get("/reply")
def reply():
    LOOP.call_soon_threadsafe(REPLIES.put_nowait, "yes\n")
    return "thanks\n"


if __name__ == "__main__":
    common.serve(app)

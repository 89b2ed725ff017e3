"""A descriptor that is always readable: the loop runs one and the same Handle again and again, each time shortly."""
import asyncio
import socket
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
HERE, THERE = socket.socketpair()


def on_readable():
    sum(range(20000))


async def answer():
    return "ok\n"


@app.get("/answer")
def answer_view():
    return asyncio.run_coroutine_threadsafe(answer(), LOOP).result(timeout=10)


if __name__ == "__main__":
    THERE.send(b"never taken")
    LOOP.call_soon_threadsafe(LOOP.add_reader, HERE, on_readable)
    common.serve(app)

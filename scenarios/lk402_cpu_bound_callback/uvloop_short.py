"""The same on uvloop: a loop that is never idle, and leaves no frame."""
import asyncio
import threading

import uvloop
from flask import Flask

import common

app = Flask(__name__)
LOOP = uvloop.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def work(n):
    return sum(range(n))


def again():
    work(20000)
    LOOP.call_soon(again)


async def answer():
    return "ok\n"


@app.get("/answer")
def answer_view():
    return asyncio.run_coroutine_threadsafe(answer(), LOOP).result(timeout=10)


if __name__ == "__main__":
    LOOP.call_soon_threadsafe(again)
    common.serve(app)

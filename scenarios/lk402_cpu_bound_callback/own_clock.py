"""The same on a loop whose clock stands still, as tests make them: its turns cannot be told by the moment they began."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
LOOP.time = lambda: 1000.0
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

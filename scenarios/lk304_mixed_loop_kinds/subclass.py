"""Near miss: two loops of different classes, both asyncio's own implementation: one is a subclass that counts callbacks."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)


class CountingLoop(asyncio.SelectorEventLoop):
    calls = 0

    def call_soon(self, *args, **kwargs):
        CountingLoop.calls += 1
        return super().call_soon(*args, **kwargs)


PLAIN, COUNTING = asyncio.new_event_loop(), CountingLoop()
for loop in (PLAIN, COUNTING):
    threading.Thread(target=loop.run_forever, daemon=True).start()


async def tick():
    await asyncio.sleep(0.05)
    return "%d\n" % CountingLoop.calls


@app.get("/plain")
def plain():
    return asyncio.run_coroutine_threadsafe(tick(), PLAIN).result(timeout=30)


@app.get("/counting")
def counting():
    return asyncio.run_coroutine_threadsafe(tick(), COUNTING).result(timeout=30)


if __name__ == "__main__":
    common.serve(app)

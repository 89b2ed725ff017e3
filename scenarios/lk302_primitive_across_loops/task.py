"""A view, on the loop Flask made for it, waits for a task of the background loop; that task ends and wakes the wrong loop."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


class Prices:
    """Refreshes itself on the background loop; whoever needs fresh prices waits for the refresh under way."""

    def __init__(self):
        self.refreshing = None
        self.go_on = asyncio.Event()

    async def refresh(self):
        await self.go_on.wait()

    async def start(self):
        self.refreshing = asyncio.ensure_future(self.refresh())


PRICES = Prices()
asyncio.run_coroutine_threadsafe(PRICES.start(), LOOP).result(timeout=10)


@app.get("/prices")
async def prices_view():
    common.suspended()
    await asyncio.wait([PRICES.refreshing])  # <- guilty
    return "fresh\n"


@app.get("/refreshed")
def refreshed_view():
    LOOP.call_soon_threadsafe(PRICES.go_on.set)
    return "ok\n"


if __name__ == "__main__":
    common.serve(app)

"""A service class starts its loop at the first request that needs it, on that request's own thread."""
import asyncio

from flask import Flask

import common

app = common.add_ping(Flask(__name__))


class Poller:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.prices = {}

    async def poll(self):
        while True:
            self.prices["at"] = self.loop.time()
            await asyncio.sleep(0.2)

    def start(self):
        self.loop.create_task(self.poll())
        common.stuck()
        self.loop.run_forever()  # <- guilty


POLLER = Poller()


@app.get("/prices")
def prices():
    if not POLLER.prices:
        POLLER.start()
    return POLLER.prices

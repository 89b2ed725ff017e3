"""An SDK's facade runs asyncio.run() on whatever thread calls it; here a gunicorn worker's."""
import asyncio

from flask import Flask

import common

app = common.add_ping(Flask(__name__))


class Client:
    async def fetch(self, number):
        await asyncio.sleep(120)
        return "%d\n" % number

    def fetch_sync(self, number):
        common.stuck()
        return asyncio.run(self.fetch(number))  # <- guilty


@app.get("/fetch")
def fetch_view():
    return Client().fetch_sync(7)

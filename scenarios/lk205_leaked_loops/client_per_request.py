"""Each request makes a loop for its client object and never closes it."""
import asyncio
import itertools

from flask import Flask

import common

app = Flask(__name__)
CLIENTS = {}
NUMBER = itertools.count()


class Client:
    def __init__(self):
        self.loop = asyncio.new_event_loop()

    async def fetch(self):
        await asyncio.sleep(0.01)
        return "fetched\n"

    def fetch_sync(self):
        return self.loop.run_until_complete(self.fetch())


@app.get("/fetch")
def fetch():
    client = CLIENTS[next(NUMBER)] = Client()
    return client.fetch_sync()


if __name__ == "__main__":
    common.serve(app)

"""The same fetch in an async view: the loop is Flask's, and Flask closes it."""
import asyncio
import itertools

from flask import Flask

import common

app = Flask(__name__)
CLIENTS = {}
NUMBER = itertools.count()


class Client:
    async def fetch(self):
        await asyncio.sleep(0.05)
        return "fetched\n"


@app.get("/fetch")
async def fetch():
    client = CLIENTS[next(NUMBER) % 100] = Client()
    return await client.fetch()


if __name__ == "__main__":
    common.serve(app)

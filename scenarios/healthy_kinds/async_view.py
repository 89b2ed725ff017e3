"""Flask async views in flight: quick ones under load and a long one."""
import asyncio

from flask import Flask

import common

app = Flask(__name__)


async def fetch(seconds):
    await asyncio.sleep(seconds)
    return "fetched\n"


@app.get("/quick")
async def quick():
    return "".join(await asyncio.gather(fetch(0.1), fetch(0.2)))


@app.get("/long")
async def long():
    common.say("started")
    return await fetch(120)


if __name__ == "__main__":
    common.serve(app)

"""The same fetch as an async view, in flight."""
import asyncio

from flask import Flask

import common

app = Flask(__name__)


async def fetch():
    await asyncio.sleep(0.4)
    return "fetched\n"


@app.get("/fetch")
async def fetch_view():
    return await fetch()


if __name__ == "__main__":
    common.serve(app)

"""Near miss: asgiref's async_to_sync runs the loop for the request: a framework's bridge, not the user's own loop."""
import asyncio

from asgiref.sync import async_to_sync
from flask import Flask

import common

app = Flask(__name__)


async def fetch():
    await asyncio.sleep(0.4)
    return "fetched\n"


@app.get("/fetch")
def fetch_view():
    return async_to_sync(fetch)()


if __name__ == "__main__":
    common.serve(app)

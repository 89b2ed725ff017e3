"""Near miss: the bridge below an async view waits without a timeout for as long as the view takes; nobody's code does."""
import asyncio

from asgiref.sync import async_to_sync
from flask import Flask

import common

app = Flask(__name__)


@app.get("/watch")
async def watch():
    common.say("started")
    await asyncio.sleep(120)
    return "seen\n"


async def listen():
    common.say("started")
    await asyncio.sleep(120)
    return "heard\n"


@app.get("/listen")
def listen_view():
    return async_to_sync(listen)()


if __name__ == "__main__":
    common.serve(app)

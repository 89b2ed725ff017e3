"""A Flask async view: code brought back to the request's own thread blocks it on a coroutine that needs that thread again."""
import asyncio

from asgiref.sync import sync_to_async
from flask import Flask

import common

app = Flask(__name__)


@sync_to_async
def read_session():
    return "session\n"


async def refresh():
    return await read_session()


def legacy_code(loop):
    future = asyncio.run_coroutine_threadsafe(refresh(), loop)
    common.stuck()
    return future.result()  # <- guilty


@app.get("/session")
async def session():
    return await sync_to_async(legacy_code)(asyncio.get_running_loop())


if __name__ == "__main__":
    common.serve(app)

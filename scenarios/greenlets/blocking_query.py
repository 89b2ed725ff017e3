"""A task switches to a greenlet for code that is not async, and that code blocks: so does the loop below it.

The way of sqlalchemy's AsyncSession.run_sync(): the thread's present stack shows nothing of the loop.
"""
import asyncio
import threading
import time

import greenlet
from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def query():
    common.stuck()
    time.sleep(600)  # <- guilty


async def run_sync(function):
    return greenlet.greenlet(function).switch()


async def version():
    return "1.0\n"


@app.get("/query")
def query_view():
    return asyncio.run_coroutine_threadsafe(run_sync(query), LOOP).result()


@app.get("/version")
def version_view():
    future = asyncio.run_coroutine_threadsafe(version(), LOOP)
    common.waiting()
    return future.result()


if __name__ == "__main__":
    common.serve(app)

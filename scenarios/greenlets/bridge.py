"""Code that is not async asks a database through asyncio: its greenlet is suspended while a task awaits the answer for it.

The way of sqlalchemy.util.concurrency (greenlet_spawn, await_only) and of Playwright's synchronous interface.
"""
import asyncio
import threading

import greenlet
from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def await_only(awaitable):
    return greenlet.getcurrent().parent.switch(awaitable)


async def greenlet_spawn(function):
    inside = greenlet.greenlet(function)
    result = inside.switch()
    while not inside.dead:
        result = inside.switch(await result)
    return result


def query():
    common.say("asked")
    await_only(asyncio.sleep(600))


@app.get("/query")
def query_view():
    asyncio.run_coroutine_threadsafe(greenlet_spawn(query), LOOP)
    return "asked\n"


if __name__ == "__main__":
    common.serve(app)

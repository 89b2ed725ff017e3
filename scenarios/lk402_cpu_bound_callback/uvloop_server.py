"""The same on uvloop, whose run calls leave no Python frame."""
import asyncio
import threading

import uvloop
from flask import Flask

import common

app = Flask(__name__)
LOOP = uvloop.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def spell(text):
    while True:
        text = text[1:] + text[:1]  # <- guilty


async def spell_all():
    common.computes(spell)
    return spell("abc" * 2000)


async def version():
    return "1.0\n"


@app.get("/spell")
def spell_view():
    future = asyncio.run_coroutine_threadsafe(spell_all(), LOOP)
    common.waiting()
    return future.result()


@app.get("/version")
def version_view():
    future = asyncio.run_coroutine_threadsafe(version(), LOOP)
    common.waiting()
    return future.result()


if __name__ == "__main__":
    common.serve(app)

"""A werkzeug server of one thread; a view asks this very server over HTTP, without a timeout.

With SCENARIO_LOOP, a loop of the application's own beats on a thread beside it: it moves, and cannot accept.
"""
import asyncio
import os
import threading
import urllib.request

from flask import Flask, request

import common

app = Flask(__name__)


@app.get("/price")
def price():
    return "42\n"


def fetch(url):
    common.stuck()
    with urllib.request.urlopen(url) as answer:  # <- guilty
        return answer.read()


@app.get("/quote")
def quote():
    return fetch("http://127.0.0.1:%s/price" % request.environ["SERVER_PORT"])


async def beat():
    while True:
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    if "SCENARIO_LOOP" in os.environ:
        threading.Thread(target=asyncio.run, args=[beat()], name="beat", daemon=True).start()
    common.serve_single(app)

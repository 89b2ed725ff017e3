"""The handler is a coroutine that awaits the SDK's asynchronous face."""
import os
import sys

from flask import Flask

import common

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "site-packages"))
from acme import Client  # noqa: E402

app = Flask(__name__)
CLIENT = Client()
CACHE = {}


async def reload(key):
    CACHE[key] = await CLIENT.get_async(key)


CLIENT.on_change(reload)


@app.get("/change")
def change():
    CLIENT.change("colour")
    return "noted\n"


@app.get("/value")
def value():
    return CLIENT.get("colour")


if __name__ == "__main__":
    common.serve(app)

"""A change handler, which the SDK calls on its own loop, calls the SDK's synchronous face."""
import os
import sys

from flask import Flask

import common

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "site-packages"))
from acme import Client  # noqa: E402

app = Flask(__name__)
CLIENT = Client()
CACHE = {}


def reload(key):
    common.stuck()
    CACHE[key] = CLIENT.get(key)  # <- guilty


CLIENT.on_change(reload)


@app.get("/change")
def change():
    CLIENT.change("colour")
    return "noted\n"


@app.get("/value")
def value():
    common.waiting()
    return CLIENT.get("colour")


if __name__ == "__main__":
    common.serve(app)

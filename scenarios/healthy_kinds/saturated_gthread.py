"""A gunicorn gthread worker with more clients than threads; it still finishes requests."""
import time

from flask import Flask

import common

app = common.add_ping(Flask(__name__))


@app.get("/work")
def work():
    time.sleep(0.1)
    return "worked\n"

"""A gunicorn worker that somebody stopped; its master is alive."""
from flask import Flask

import common

app = common.add_ping(Flask(__name__))


@app.get("/hello")
def hello():
    return "hello\n"

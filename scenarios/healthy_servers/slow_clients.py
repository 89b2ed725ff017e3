"""Clients that connect and say nothing, or half a request: request threads and connections wait for them."""
from flask import Flask

import common

app = Flask(__name__)


@app.get("/hello")
def hello():
    return "hello\n"


if __name__ == "__main__":
    common.serve(app)

"""The view calls the function behind the URL instead of the URL."""
from flask import Flask

import common

app = Flask(__name__)


@app.get("/price")
def price():
    return "42\n"


@app.get("/quote")
def quote():
    return price()


if __name__ == "__main__":
    common.serve_single(app)

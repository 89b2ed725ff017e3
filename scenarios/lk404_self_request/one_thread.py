"""A werkzeug server of one thread; a view asks this very server over HTTP, without a timeout."""
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


if __name__ == "__main__":
    common.serve_single(app)

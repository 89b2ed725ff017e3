"""The same server of one thread; the inner request has a timeout, so it ends, though only after a minute."""
import urllib.request

from flask import Flask, request

import common

app = Flask(__name__)


def fetch(url):
    common.stuck()
    with urllib.request.urlopen(url, timeout=60) as answer:  # <- guilty
        return answer.read()


@app.get("/quote")
def quote():
    return fetch("http://127.0.0.1:%s/price" % request.environ["SERVER_PORT"])


if __name__ == "__main__":
    common.serve_single(app)

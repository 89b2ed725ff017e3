"""The server asks itself, and has a thread for each connection; the inner request takes its time and is answered."""
import time
import urllib.request

from flask import Flask, request

import common

app = Flask(__name__)


@app.get("/price")
def price():
    common.waiting("slow")
    time.sleep(8)
    return "42\n"


@app.get("/quote")
def quote():
    with urllib.request.urlopen("http://127.0.0.1:%s/price" % request.environ["SERVER_PORT"], timeout=30) as answer:
        return answer.read()


if __name__ == "__main__":
    common.serve(app)

"""waitress with two task threads, both of which ask this very server."""
import threading
import urllib.request

import waitress.server
from flask import Flask, request

import common

app = common.add_ping(Flask(__name__))
BOTH = threading.Barrier(2)


@app.get("/price")
def price():
    return "42\n"


def fetch(url):
    common.stuck()
    with urllib.request.urlopen(url) as answer:  # <- guilty
        return answer.read()


@app.get("/quote")
def quote():
    BOTH.wait()
    return fetch("http://127.0.0.1:%s/price" % request.environ["SERVER_PORT"])


if __name__ == "__main__":
    server = waitress.server.create_server(app, host="127.0.0.1", port=0, threads=2)
    common.say("listening", port=server.effective_port)
    server.run()

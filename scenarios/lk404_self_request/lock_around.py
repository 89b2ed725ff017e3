"""A threaded Flask server: a view holds a lock around a request to this very server, whose view wants the lock (/quote).

Near misses: the inner view wants it no longer than a moment (/quote/later), or sleeps (/quote/slow).
"""
import threading
import time
import urllib.request

from flask import Flask, request

import common

app = common.add_ping(Flask(__name__))
PRICES = threading.Lock()


def fetch(path):
    return urllib.request.urlopen("http://127.0.0.1:%s/%s" % (request.environ["SERVER_PORT"], path)).read()


@app.get("/price")
def price():
    common.stuck("guilty-price")
    with PRICES:  # <- guilty-price
        return "42\n"


@app.get("/price/slow")
def slow_price():
    common.say("slow")
    time.sleep(3600)
    return "42\n"


@app.get("/price/now")
def price_now():
    return "42\n"


@app.get("/quote")
def quote():
    url = "http://127.0.0.1:%s/price" % request.environ["SERVER_PORT"]
    with PRICES:
        common.stuck("guilty-quote")
        return urllib.request.urlopen(url).read()  # <- guilty-quote


@app.get("/quote/now")
def quote_now():
    with PRICES:
        return fetch("price/now")


@app.get("/quote/slow")
def quote_slow():
    with PRICES:
        return fetch("price/slow")


if __name__ == "__main__":
    common.serve(app)

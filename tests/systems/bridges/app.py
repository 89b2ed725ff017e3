"""Flask below an ASGI server, by a2wsgi with two workers or by hypercorn's own WSGI; and an ASGI application that blocks its loop."""
import asyncio
import threading

import requests
from a2wsgi import WSGIMiddleware
from flask import Flask, request

import common

app = common.add_ping(Flask(__name__))
together = threading.Barrier(2)


@app.get("/price")
def price():
    return "42\n"


@app.get("/quote")
def quote():
    together.wait()
    common.stuck()
    return requests.get("http://127.0.0.1:%s/price" % request.environ["SERVER_PORT"]).text  # <- guilty


@app.get("/all")
def ask_all():
    return requests.get("http://127.0.0.1:%s/price" % request.environ["SERVER_PORT"]).text


@app.get("/ask")
def ask():
    common.stuck("guilty-ask")
    return requests.get("http://%s:%d/" % common.upstream()).text  # <- guilty-ask


@app.get("/slow")
async def slow():
    common.say("started")
    await asyncio.sleep(600)
    return "slow\n"


async def blocked(scope, receive, send):
    if scope["type"] == "http":
        common.stuck("guilty-blocked")
        requests.get("http://%s:%d/" % common.upstream())  # <- guilty-blocked


asgi = WSGIMiddleware(app, workers=2)

"""Starlette on uvicorn: sync views, on a thread of anyio's pool each, ask this very server, which needs such a thread to answer.

Near misses: a price that a coroutine gives (/quote/now), and a pool with one thread more.
"""
import os
import threading
import urllib.request

import anyio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import common

TOGETHER = 2
BOTH = threading.Barrier(TOGETHER)


def price(request):
    return PlainTextResponse("42\n")


async def price_now(request):
    return PlainTextResponse("42\n")


def fetch(url):
    common.stuck()
    with urllib.request.urlopen(url) as answer:  # <- guilty
        return answer.read()


def quote(request):
    BOTH.wait()
    return PlainTextResponse(fetch("http://127.0.0.1:%d/price%s" % (request.scope["server"][1], request.path_params.get("when", ""))))


async def ping(request):
    return PlainTextResponse("pong\n")


VIEWS = Starlette(routes=[Route("/price", price), Route("/price_now", price_now), Route("/quote", quote), Route("/ping", ping),
                          Route("/quote{when}", quote)])


async def app(scope, receive, send):
    anyio.to_thread.current_default_thread_limiter().total_tokens = int(os.environ["SCENARIO_THREADS"])
    await VIEWS(scope, receive, send)


if __name__ == "__main__":
    common.serve_uvicorn(app)

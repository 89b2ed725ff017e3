"""Starlette: an endpoint in a worker thread comes back through anyio's portal to a coroutine that blocks on that thread's lock."""
import threading

import anyio.from_thread
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import common

LOCK = threading.Lock()


async def ping(request):
    return PlainTextResponse("pong\n")


async def store():
    common.stuck("guilty-store")
    with LOCK:  # <- guilty-store
        return "stored\n"


def save(request):
    with LOCK:
        common.stuck("guilty-save")
        return PlainTextResponse(anyio.from_thread.run(store))  # <- guilty-save


if __name__ == "__main__":
    common.serve_uvicorn(Starlette(routes=[Route("/ping", ping), Route("/save", save)]))

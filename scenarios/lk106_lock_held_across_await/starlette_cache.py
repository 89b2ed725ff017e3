"""Starlette under uvicorn: an endpoint awaits a worker thread with a lock in its hands, another takes the lock on the loop's thread."""
import threading

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import common

CACHE = threading.Lock()
LOADING = threading.Event()


async def ping(request):
    return PlainTextResponse("pong\n")


def load():
    LOADING.wait(20)
    return "filled\n"


async def fill(request):
    with CACHE:
        common.suspended("guilty-fill")
        return PlainTextResponse(await run_in_threadpool(load))  # <- guilty-fill


async def clear(request):
    LOADING.set()
    common.stuck("guilty-clear")
    with CACHE:  # <- guilty-clear
        return PlainTextResponse("cleared\n")


if __name__ == "__main__":
    common.serve_uvicorn(Starlette(routes=[Route("/ping", ping), Route("/fill", fill), Route("/clear", clear)]))

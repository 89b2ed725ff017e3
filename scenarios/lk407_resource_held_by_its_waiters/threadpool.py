"""Sync views of starlette hold a thread of its pool each, and wait for coroutines that want a thread of it too."""
import threading

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import common

THREADS = 2
BOTH = threading.Barrier(THREADS)


def read_rows():
    return "rows\n"


async def load():
    common.suspended("guilty-load")
    return await run_in_threadpool(read_rows)  # <- guilty-load


def report(request):
    BOTH.wait()
    common.stuck("guilty-report")
    return PlainTextResponse(anyio.from_thread.run(load))  # <- guilty-report


def flat(request):
    """The same rows, read on the thread that the view has."""
    return PlainTextResponse(read_rows())


async def ping(request):
    return PlainTextResponse("pong\n")


VIEWS = Starlette(routes=[Route("/report", report), Route("/flat", flat), Route("/ping", ping)])


async def app(scope, receive, send):
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    await VIEWS(scope, receive, send)


if __name__ == "__main__":
    common.serve_uvicorn(app)

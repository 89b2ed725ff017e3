"""Starlette on uvicorn: plain endpoints on anyio's threads, coroutines, anyio's ways to and from threads, events for ever."""
import asyncio
import logging
import socket
import time

import anyio
import anyio.from_thread
import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

import common


def blocking(seconds):
    time.sleep(seconds)
    return "rows\n"


def plain(request):
    return PlainTextResponse(blocking(0.2))


async def to_thread(request):
    await run_in_threadpool(blocking, 0.1)
    return PlainTextResponse(await anyio.to_thread.run_sync(blocking, 0.1))


async def quick():
    await anyio.sleep(0.1)
    return "quick\n"


def from_thread():
    return anyio.from_thread.run(quick)


async def there_and_back(request):
    return PlainTextResponse(await anyio.to_thread.run_sync(from_thread))


async def gather(request):
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(quick)
    return PlainTextResponse("gathered\n")


async def ticks():
    common.say("started")
    yield b"data: 0\n\n"
    await asyncio.Future()


async def events(request):
    return StreamingResponse(ticks(), media_type="text/event-stream")


async def ping(request):
    return PlainTextResponse("pong\n")


app = Starlette(routes=[Route("/ping", ping), Route("/plain", plain), Route("/to_thread", to_thread), Route("/gather", gather),
                        Route("/there_and_back", there_and_back), Route("/events", events)])


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    common.say("listening", port=listener.getsockname()[1])
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])

"""Views of starlette that are no coroutines share anyio's limit of worker threads; asyncio.to_thread has a pool of its own."""
import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import common

THREADS = 2


def count_stock():
    common.stuck()
    time.sleep(3600)  # <- guilty


def report(request):
    count_stock()
    return PlainTextResponse("stock\n")


async def report_later(request):
    await asyncio.to_thread(count_stock)
    return PlainTextResponse("stock\n")


def price(request):
    with socket.create_connection(common.upstream()) as s:
        common.stuck("guilty-price")
        return PlainTextResponse(s.recv(100))  # <- guilty-price


def quick(request):
    time.sleep(0.01)
    return PlainTextResponse("stock\n")


async def ping(request):
    return PlainTextResponse("pong\n")


VIEWS = Starlette(routes=[Route("/report", report), Route("/report_later", report_later), Route("/price", price),
                          Route("/quick", quick), Route("/ping", ping)])


async def app(scope, receive, send):
    limit = anyio.to_thread.current_default_thread_limiter()
    if limit.total_tokens != THREADS:
        limit.total_tokens = THREADS
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    await VIEWS(scope, receive, send)


if __name__ == "__main__":
    common.serve_uvicorn(app)

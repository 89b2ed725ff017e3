"""Bridges as they are meant: a worker thread waits for coroutines of a loop that is free."""
import asyncio
import threading

from asgiref.sync import async_to_sync, sync_to_async
from aiohttp import web

import common

LOCK = threading.Lock()


async def save():
    await asyncio.sleep(0.05)
    return "saved\n"


@sync_to_async
def update():
    with LOCK:
        return async_to_sync(save)()


async def update_view(request):
    return web.Response(text=await update())


def convert(loop):
    return asyncio.run_coroutine_threadsafe(save(), loop).result()


async def thread_view(request):
    return web.Response(text=await asyncio.to_thread(convert, asyncio.get_running_loop()))


if __name__ == "__main__":
    common.serve_aiohttp({"/update": update_view, "/thread": thread_view})

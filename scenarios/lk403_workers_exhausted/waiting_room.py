"""Coroutines hand an event's wait() to the loop's own pool, until it has no thread left for the one that would set the event."""
import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

import common

OPENED = threading.Event()
ROOM = ThreadPoolExecutor(max_workers=2)


async def wait(request):
    loop = asyncio.get_running_loop()
    common.suspended()
    await loop.run_in_executor(ROOM, OPENED.wait)  # <- guilty
    return web.Response(text="in\n")


async def open_door(request):
    await asyncio.get_running_loop().run_in_executor(ROOM, OPENED.set)
    return web.Response(text="open\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/wait": wait, "/open": open_door})

"""A handler offloads to a small pool; the offloaded function maps over that same pool."""
import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

import common

POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="render")
BOTH = threading.Barrier(2)


def tile(number):
    return number * number


def render():
    BOTH.wait(20)
    common.stuck()
    return sum(POOL.map(tile, range(8)))  # <- guilty


async def picture(request):
    value = await asyncio.get_running_loop().run_in_executor(POOL, render)
    return web.Response(text="%d\n" % value)


if __name__ == "__main__":
    common.serve_aiohttp({"/picture": picture})

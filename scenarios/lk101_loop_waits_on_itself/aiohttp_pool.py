"""An aiohttp handler blocks on a pool's future; the pool's job waits for a coroutine on the handler's loop."""
import asyncio
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

import common

POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="pool")


async def rate():
    return 1.5


def convert(loop):
    future = asyncio.run_coroutine_threadsafe(rate(), loop)
    common.stuck("guilty-job")
    return future.result()  # <- guilty-job


async def price(request):
    job = POOL.submit(convert, asyncio.get_running_loop())
    common.stuck("guilty-handler")
    return web.Response(text="%s\n" % job.result())  # <- guilty-handler


if __name__ == "__main__":
    common.serve_aiohttp({"/price": price})

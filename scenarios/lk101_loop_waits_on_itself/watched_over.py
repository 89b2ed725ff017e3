"""The aiohttp loop blocks on a coroutine of its own, which a timer of another thread gives up: slow, and over in ten minutes."""
import asyncio
import threading

from aiohttp import web

import common


async def rates():
    return "rates\n"


async def start(request):
    future = asyncio.run_coroutine_threadsafe(rates(), asyncio.get_running_loop())
    patience = threading.Timer(600, future.cancel)
    patience.daemon = True
    patience.start()
    common.stuck()
    return web.Response(text=future.result())  # <- guilty


if __name__ == "__main__":
    common.serve_aiohttp({"/start": start})

"""Two tasks await each other, one of them by wait_for() with a timeout; it goes on without the other."""
import asyncio

from aiohttp import web

import common


async def price(others):
    await asyncio.sleep(0)
    try:
        return await asyncio.wait_for(asyncio.shield(others["tax"]), 0.2)
    except asyncio.TimeoutError:
        return 1


async def tax(others):
    await asyncio.sleep(0)
    return await others["price"]


async def quote(request):
    tasks = {}
    tasks["price"] = asyncio.create_task(price(tasks))
    tasks["tax"] = asyncio.create_task(tax(tasks))
    return web.Response(text="%s\n" % await tasks["tax"])


if __name__ == "__main__":
    common.serve_aiohttp({"/quote": quote})

"""Tasks that await one another in one direction only."""
import asyncio

from aiohttp import web

import common


async def price():
    await asyncio.sleep(0.1)
    return 40


async def tax(base):
    return await base + 2


async def quote(request):
    base = asyncio.create_task(price())
    return web.Response(text="%s\n" % await asyncio.create_task(tax(base)))


if __name__ == "__main__":
    common.serve_aiohttp({"/quote": quote})

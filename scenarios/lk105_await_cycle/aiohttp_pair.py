"""Two tasks of an aiohttp handler, each of which awaits the other one's result."""
import asyncio

from aiohttp import web

import common

TASKS = {}


async def price():
    await asyncio.sleep(0)
    common.suspended("guilty-price")
    return await TASKS["tax"]  # <- guilty-price


async def tax():
    await asyncio.sleep(0)
    common.suspended("guilty-tax")
    return await TASKS["price"]  # <- guilty-tax


async def quote(request):
    TASKS["price"] = asyncio.create_task(price())
    TASKS["tax"] = asyncio.create_task(tax())
    return web.Response(text="%s\n" % await TASKS["price"])


if __name__ == "__main__":
    common.serve_aiohttp({"/quote": quote})

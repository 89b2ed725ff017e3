"""Two parts of an order wait for each other, one by way of gather(): it ends when the third part that it gathers fails."""
import asyncio

from aiohttp import web

import common


async def price(parts):
    await asyncio.sleep(0)
    common.suspended("guilty-price")
    await asyncio.gather(parts["stock"], parts["courier"])  # <- guilty-price


async def stock(parts):
    await asyncio.sleep(0)
    common.suspended("guilty-stock")
    await parts["price"]  # <- guilty-stock


async def courier():
    await asyncio.sleep(600)
    raise TimeoutError("no courier")


async def order(request):
    parts = {}
    parts["courier"] = asyncio.create_task(courier())
    parts["price"] = asyncio.create_task(price(parts))
    parts["stock"] = asyncio.create_task(stock(parts))
    await asyncio.wait([parts["price"], parts["stock"]])
    return web.Response(text="ordered\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/order": order})

"""aiohttp: a coroutine holds an asyncio.Lock around a request to this very server, whose view wants the lock (/quote).

Near misses: a price that needs no lock (/quote/now), one that comes late (/quote/slow), one of a second server of the process, which
is slow, while others wait for the lock (/quote/other).
"""
import asyncio

import aiohttp
from aiohttp import web

import common

PRICES = asyncio.Lock()
FOR_EVER = aiohttp.ClientTimeout(total=None)


async def price(request):
    common.suspended("guilty-price")
    async with PRICES:  # <- guilty-price
        return web.Response(text="42\n")


async def slow_price(request):
    common.say("slow")
    await asyncio.sleep(3600)
    return web.Response(text="42\n")


async def price_now(request):
    return web.Response(text="42\n")


async def fetch(port, path):
    async with aiohttp.ClientSession(timeout=FOR_EVER) as session:
        async with session.get("http://127.0.0.1:%d%s" % (port, path)) as answer:
            return web.Response(text=await answer.text())


async def quote(request):
    url = "http://127.0.0.1:%d/price" % request.transport.get_extra_info("sockname")[1]
    async with PRICES, aiohttp.ClientSession(timeout=FOR_EVER) as session:
        common.suspended("guilty-quote")
        async with session.get(url) as answer:  # <- guilty-quote
            return web.Response(text=await answer.text())


async def quote_now(request):
    async with PRICES:
        return await fetch(request.transport.get_extra_info("sockname")[1], "/price/now")


async def quote_slow(request):
    async with PRICES:
        return await fetch(request.transport.get_extra_info("sockname")[1], "/price/slow")


async def answer_late(reader, writer):
    common.say("slow")
    await asyncio.sleep(3600)
    writer.close()


async def quote_other(request):
    server = await asyncio.start_server(answer_late, "127.0.0.1", 0)
    async with PRICES:
        return await fetch(server.sockets[0].getsockname()[1], "/")


async def wait_for_lock(request):
    common.say("waiting")
    async with PRICES:
        return web.Response(text="locked\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/price": price, "/price/slow": slow_price, "/price/now": price_now, "/quote": quote, "/quote/now": quote_now,
                          "/quote/slow": quote_slow, "/quote/other": quote_other, "/wait": wait_for_lock})

"""Requests wait for a helper task of their own, which alone can tell them, and which wants what they hold; and beside them for helpers that get on."""
import asyncio

from aiohttp import web

import common

STOCK, SHELF = asyncio.Lock(), asyncio.Lock()
HELPERS = []
ORDERS = {}


async def pick(picked):
    common.suspended("guilty-pick")
    async with STOCK:  # <- guilty-pick
        picked.set()


async def order(request):
    async with STOCK:
        picked = asyncio.Event()
        HELPERS.append(asyncio.ensure_future(pick(picked)))
        common.suspended("guilty-order")
        await picked.wait()  # <- guilty-order
    return web.Response(text="picked\n")


async def wrap(parcel):
    common.suspended("guilty-wrap")
    async with STOCK:  # <- guilty-wrap
        parcel.set_result("wrapped\n")


async def gift(request):
    async with STOCK:
        parcel = asyncio.get_event_loop().create_future()
        HELPERS.append(asyncio.ensure_future(wrap(parcel)))
        common.suspended("guilty-gift")
        return web.Response(text=await parcel)  # <- guilty-gift


async def late(picked):
    """Has the event too, and waits for a timer."""
    await asyncio.sleep(3600)
    picked.set()


async def in_time(request):
    async with STOCK:
        picked = asyncio.Event()
        HELPERS.append(asyncio.ensure_future(pick(picked)))
        HELPERS.append(asyncio.ensure_future(late(picked)))
        common.suspended("in_time")
        await picked.wait()  # <- in_time
    return web.Response(text="picked\n")


async def fetch(fetched):
    async with SHELF:
        fetched.set()


async def restock(request):
    async with SHELF:
        common.say("holds")
        await asyncio.sleep(3600)


async def behind(request):
    """Its helper waits for another request, which waits for a timer."""
    async with STOCK:
        fetched = asyncio.Event()
        HELPERS.append(asyncio.ensure_future(fetch(fetched)))
        common.suspended("behind")
        await fetched.wait()  # <- behind
    return web.Response(text="fetched\n")


async def announced(request):
    """Another request finds the event by its number."""
    async with STOCK:
        ORDERS["7"] = picked = asyncio.Event()
        HELPERS.append(asyncio.ensure_future(pick(picked)))
        common.suspended("announced")
        await picked.wait()  # <- announced
    return web.Response(text="picked\n")


async def announce(request):
    ORDERS["7"].set()
    return web.Response(text="announced\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/" + view.__name__: view for view in (
        order, gift, in_time, restock, behind, announced, announce)})

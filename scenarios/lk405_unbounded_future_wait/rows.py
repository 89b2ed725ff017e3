"""Generators hold a lock while they are suspended: /first reads one row and keeps the generator, /second wants the lock for its own.

Near misses: /slowly takes its time between two rows, /export waits for a lock that a timer gives back.
"""
import asyncio

from aiohttp import web

import common

KEPT = []


async def rows(lock):
    async with lock:
        for number in range(10):
            yield number


async def first(request):
    reading = rows(request.app["first"])
    KEPT.append(reading)
    return web.Response(text=str(await reading.__anext__()))


async def second(request):
    common.suspended("second")
    return web.Response(text=str([row async for row in rows(request.app["first"])]))  # <- second


async def slowly(request):
    common.suspended("slowly")
    async for _ in rows(request.app["slowly"]):  # <- slowly
        await asyncio.sleep(600)
    return web.Response(text="read\n")


async def export(request):
    common.suspended("export")
    await request.app["export"].acquire()  # <- export
    asyncio.get_running_loop().call_later(600, request.app["export"].release)
    return web.Response(text="exported\n")


async def open_shop(app):
    for view in (first, slowly, export):
        app[view.__name__] = asyncio.Lock()


if __name__ == "__main__":
    common.serve_aiohttp({"/" + view.__name__: view for view in (first, second, slowly, export)}, [open_shop])

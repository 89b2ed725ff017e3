"""Three tasks in a ring on uvloop, one of them through shield()."""
import asyncio

import uvloop
from aiohttp import web

import common

TASKS = {}


async def load(name, needs):
    await asyncio.sleep(0)
    common.suspended()
    return await asyncio.shield(TASKS[needs])  # <- guilty


async def start(request):
    for name, needs in (("a", "b"), ("b", "c"), ("c", "a")):
        TASKS[name] = asyncio.create_task(load(name, needs))
    await asyncio.wait(TASKS.values())
    return web.Response(text="started\n")


if __name__ == "__main__":
    uvloop.install()
    common.serve_aiohttp({"/start": start})

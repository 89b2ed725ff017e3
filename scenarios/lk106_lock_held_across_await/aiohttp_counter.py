"""A handler holds a threading.Lock while it awaits; the next one blocks the loop's thread on that lock."""
import asyncio
import threading

from aiohttp import web

import common

LOCK = threading.Lock()
COUNT = 0


async def store(count):
    common.suspended("guilty-first")
    await asyncio.sleep(0.2)  # <- guilty-first


async def count_up(request):
    global COUNT
    if LOCK.locked():
        common.stuck("guilty-second")
    with LOCK:  # <- guilty-second
        COUNT += 1
        await store(COUNT)
    return web.Response(text="%d\n" % COUNT)


if __name__ == "__main__":
    common.serve_aiohttp({"/count": count_up})

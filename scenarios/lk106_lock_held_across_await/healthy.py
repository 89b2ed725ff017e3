"""The same counter with an asyncio.Lock: the second handler is suspended, the loop's thread is not blocked."""
import asyncio

from aiohttp import web

import common

LOCK = asyncio.Lock()
COUNT = 0


async def count_up(request):
    global COUNT
    async with LOCK:
        COUNT += 1
        await asyncio.sleep(0.05)
    return web.Response(text="%d\n" % COUNT)


if __name__ == "__main__":
    common.serve_aiohttp({"/count": count_up})

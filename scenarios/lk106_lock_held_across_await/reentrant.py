"""An RLock is held across an await; the loop's thread enters it again and again, which an RLock allows (it protects nothing there)."""
import asyncio
import threading

from aiohttp import web

import common

LOCK = threading.RLock()


async def count_up(request):
    with LOCK:
        await asyncio.sleep(0.1)
    return web.Response(text="counted\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/count": count_up})

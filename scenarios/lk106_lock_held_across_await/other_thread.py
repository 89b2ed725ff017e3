"""A coroutine holds a lock across an await, and only a worker thread wants it: it gets it when the coroutine goes on."""
import asyncio
import threading

from aiohttp import web

import common

LOCK = threading.Lock()


def snapshot():
    with LOCK:
        return "taken\n"


async def rebuild(request):
    if not LOCK.acquire(blocking=False):
        return web.Response(text="busy\n")
    try:
        later = asyncio.get_running_loop().run_in_executor(None, snapshot)
        await asyncio.sleep(0.2)
    finally:
        LOCK.release()
    return web.Response(text=await later)


if __name__ == "__main__":
    common.serve_aiohttp({"/rebuild": rebuild})

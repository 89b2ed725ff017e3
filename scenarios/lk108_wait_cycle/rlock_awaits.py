"""Coroutines have an RLock and wait for a worker that wants it: the loop's thread, which the RLock names, is free, and cannot give it back.

/post: one coroutine. /beside: another one of the loop has entered it too, as an RLock allows, and will leave it. /after: only that one has it.
/taken: by a bare acquire().
"""
import asyncio
import threading

from aiohttp import web

import common

LEDGER = threading.RLock()
READERS = []


def write():
    common.stuck("guilty-write")
    with LEDGER:  # <- guilty-write
        return "written\n"


async def post(request):
    with LEDGER:
        common.suspended("guilty-post")
        return web.Response(text=await asyncio.get_event_loop().run_in_executor(None, write))  # <- guilty-post


async def read():
    with LEDGER:
        await asyncio.sleep(3600)


async def beside(request):
    READERS.append(asyncio.ensure_future(read()))
    await asyncio.sleep(0)
    return await post(request)


async def after(request):
    READERS.append(asyncio.ensure_future(read()))
    await asyncio.sleep(0)
    return web.Response(text=await asyncio.get_event_loop().run_in_executor(None, write))


async def taken(request):
    LEDGER.acquire()
    text = await asyncio.get_event_loop().run_in_executor(None, write)
    LEDGER.release()
    return web.Response(text=text)


if __name__ == "__main__":
    common.serve_aiohttp({"/" + view.__name__: view for view in (post, beside, after, taken)})

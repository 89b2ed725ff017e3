"""Two loops in two threads, both of trio or (WAY=mixed) one of asyncio: each has its thread wait for the other one."""
import asyncio
import os
import threading

import trio

import common

tokens = {}
both = threading.Barrier(2)
asyncio_loop = None


def calls(other):
    trio.from_thread.run(trio.sleep, 0, trio_token=tokens[other])


async def joins(me):
    tokens[me] = trio.lowlevel.current_trio_token()
    both.wait()
    thread = threading.Thread(target=calls, args=(1 - me,))
    thread.start()
    common.stuck("joins")
    thread.join()  # <- joins


async def asks_asyncio():
    tokens[0] = trio.lowlevel.current_trio_token()
    both.wait()
    await trio.sleep(0.2)
    common.stuck("asks-asyncio")
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), asyncio_loop).result()  # <- asks-asyncio


async def asks_trio():
    global asyncio_loop
    asyncio_loop = asyncio.get_running_loop()
    both.wait()
    common.stuck("asks-trio")
    trio.from_thread.run(trio.sleep, 1, trio_token=tokens[0])  # <- asks-trio


common.service()
if os.environ["WAY"] == "mixed":
    threading.Thread(target=trio.run, args=(asks_asyncio,)).start()
    asyncio.run(asks_trio())
else:
    threading.Thread(target=trio.run, args=(joins, 1)).start()
    trio.run(joins, 0)

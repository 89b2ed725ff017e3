"""Every thread of the loop's default executor waits for a coroutine that itself needs one of these threads."""
import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import common

WORKERS = 3
ALL_BUSY = threading.Barrier(WORKERS)


def lookup(key):
    return key.upper()


async def enrich(key):
    return await asyncio.to_thread(lookup, key)


def convert(loop, key):
    ALL_BUSY.wait(20)
    future = asyncio.run_coroutine_threadsafe(enrich(key), loop)
    common.stuck()
    return future.result()  # <- guilty


async def main():
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=WORKERS))
    common.service()
    await asyncio.gather(*(asyncio.to_thread(convert, loop, key) for key in "abcde"))


if __name__ == "__main__":
    asyncio.run(main())

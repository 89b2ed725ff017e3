"""asgiref's one thread for thread-sensitive code waits for a loop on another thread, whose coroutine calls thread-sensitive code."""
import asyncio
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async

import common

POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="bridge")


@sync_to_async
def load_user(name):
    return {"name": name}


async def profile(name):
    return await load_user(name)


@sync_to_async
def legacy_view():
    future = POOL.submit(asyncio.run, profile("ann"))
    common.stuck()
    return future.result()  # <- guilty


async def main():
    common.service()
    return await legacy_view()


if __name__ == "__main__":
    asyncio.run(main())

"""Synchronous code on a bridge's thread holds a lock over async_to_sync(); the coroutine wants it on the loop's thread."""
import asyncio
import threading

from asgiref.sync import async_to_sync, sync_to_async

import common

LOCK = threading.Lock()


async def save():
    common.stuck("guilty-save")
    with LOCK:  # <- guilty-save
        return "saved"


@sync_to_async
def update():
    with LOCK:
        common.stuck("guilty-update")
        return async_to_sync(save)()  # <- guilty-update


async def main():
    common.service()
    return await update()


if __name__ == "__main__":
    asyncio.run(main())

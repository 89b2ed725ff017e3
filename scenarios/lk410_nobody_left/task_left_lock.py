"""A task ended with anyio's Lock in its hands; another one waits for it while the loop goes on."""
import asyncio

import anyio

import common


async def beat():
    while True:
        await asyncio.sleep(0.1)


async def forgets(lock):
    await lock.acquire()


async def wants(lock):
    common.suspended()
    async with lock:  # <- guilty
        pass


async def main():
    common.service()
    lock = anyio.Lock()
    pulse = asyncio.create_task(beat())
    await asyncio.create_task(forgets(lock))
    await asyncio.create_task(wants(lock))
    pulse.cancel()


if __name__ == "__main__":
    asyncio.run(main())

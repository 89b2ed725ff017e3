"""A task of a TaskGroup awaits the very task that leaves the group."""
import asyncio

import common


async def beat():
    while True:
        await asyncio.sleep(0.1)


async def worker(boss):
    await asyncio.sleep(0)
    common.suspended("guilty-worker")
    await boss  # <- guilty-worker


async def boss():
    common.suspended("guilty-boss")
    async with asyncio.TaskGroup() as group:  # <- guilty-boss
        group.create_task(worker(asyncio.current_task()))


async def main():
    common.service()
    pulse = asyncio.create_task(beat())
    await asyncio.create_task(boss())
    pulse.cancel()


if __name__ == "__main__":
    asyncio.run(main())

"""A coroutine forks; the child runs a loop of its own and ends with os._exit."""
import asyncio
import os

import common


async def beat():
    common.say("worker")
    while True:
        await asyncio.sleep(0.2)


def child():
    asyncio._set_running_loop(None)
    try:
        asyncio.new_event_loop().run_until_complete(beat())
    finally:
        os._exit(0)


async def main():
    if os.fork() == 0:
        child()
    common.say("listening", port=None)
    while True:
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main())

"""A service on asyncio.Runner: a timer's callback waits for the result of a task of its own loop, with concurrent.futures.wait()."""
import asyncio
import concurrent.futures

import common


async def sample():
    return 1


def tick(loop):
    futures = [asyncio.run_coroutine_threadsafe(sample(), loop) for _ in range(2)]
    common.stuck()
    concurrent.futures.wait(futures)  # <- guilty


async def main():
    loop = asyncio.get_running_loop()
    loop.call_later(0.05, tick, loop)
    common.service()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner() as runner:
        runner.run(main())

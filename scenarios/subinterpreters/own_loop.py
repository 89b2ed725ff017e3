"""A coroutine in a subinterpreter waits synchronously for its own loop."""
import asyncio

import common
import within


async def price():
    return 42


async def quote():
    future = asyncio.run_coroutine_threadsafe(price(), asyncio.get_running_loop())
    common.stuck()
    return future.result()  # <- guilty


def work():
    asyncio.run(quote())


if __name__ == "__main__":
    within.enter("work")
    within.park()

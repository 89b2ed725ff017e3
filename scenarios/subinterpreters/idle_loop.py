"""A loop in a subinterpreter that does what it should."""
import asyncio

import within


async def tick():
    while True:
        await asyncio.sleep(0.05)


def work():
    asyncio.run(tick())


if __name__ == "__main__":
    within.enter("work")
    within.park()

"""Near miss of private_loop: a second task of the loop waits for its turn while the first one blocks."""
import asyncio
import time

import common


async def refresh():
    while True:
        await asyncio.sleep(0.05)


async def main():
    other = asyncio.create_task(refresh())
    await asyncio.sleep(0.2)
    common.service()
    common.stuck()
    time.sleep(600)  # <- guilty
    await other


if __name__ == "__main__":
    asyncio.run(main())

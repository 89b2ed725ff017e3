"""main() reads its index before it calls start_server(); a task that it made before waits meanwhile."""
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
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    await asyncio.gather(other, server.serve_forever())


if __name__ == "__main__":
    asyncio.run(main())

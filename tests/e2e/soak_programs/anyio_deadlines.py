"""Tasks that wait for one another, each within a deadline that ends it: streams, locks, worker threads, rings that time out."""
import time

import anyio
import common


async def produce(stream):
    while True:
        with anyio.move_on_after(1):
            await stream.send(time.monotonic())
        await anyio.sleep(0.1)


async def consume(stream, lock):
    async for _ in stream:
        try:
            with anyio.fail_after(2):
                async with lock:
                    await anyio.to_thread.run_sync(time.sleep, 0.3)
        except TimeoutError:
            pass


async def ring(mine, other):
    """Takes two locks, as its neighbour does in the other order; gives up after a second."""
    while True:
        with anyio.move_on_after(1):
            async with mine:
                await anyio.sleep(0.01)
                async with other:
                    await anyio.sleep(0.01)
        await anyio.sleep(0.02)


async def main():
    send, receive = anyio.create_memory_object_stream(2)
    lock, left, right = anyio.Lock(), anyio.Lock(), anyio.Lock()
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(produce, send)
            group.start_soon(consume, receive, lock)
        group.start_soon(ring, left, right)
        group.start_soon(ring, right, left)
        common.say("ready")


if __name__ == "__main__":
    anyio.run(main)

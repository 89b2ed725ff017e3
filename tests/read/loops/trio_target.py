"""One task of trio for each way to wait, threads between them and the loop; prints a line once all wait."""
import threading

import trio

LOCK, SEMAPHORE, EVENT, CONDITION = trio.Lock(), trio.Semaphore(0), trio.Event(), trio.Condition()


async def holds_lock():
    async with LOCK:
        await EVENT.wait()


async def holds_token(limiter):
    async with limiter:
        await EVENT.wait()


async def notified():
    async with CONDITION:
        await CONDITION.wait()


async def deadline():
    with trio.move_on_after(500), trio.CancelScope(shield=True):
        await trio.sleep_forever()


async def nested():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 600)


async def reads():
    ours, theirs = trio.socket.socketpair()
    await ours.recv(1)
    theirs.close()


async def main():
    limiter, full = trio.CapacityLimiter(1), trio.CapacityLimiter(1)
    put, _get = trio.open_memory_channel(0)
    _put, get = trio.open_memory_channel(3)
    async with trio.open_nursery() as nursery:
        for task in (holds_lock, holds_lock, SEMAPHORE.acquire, notified, deadline, nested, reads, get.receive):
            nursery.start_soon(task)
        nursery.start_soon(put.send, 1)
        nursery.start_soon(holds_token, limiter)
        nursery.start_soon(holds_token, limiter)
        nursery.start_soon(trio.to_thread.run_sync, threading.Event().wait)
        nursery.start_soon(trio.to_thread.run_sync, lambda: trio.from_thread.run(EVENT.wait))
        for _ in range(2):
            nursery.start_soon(lambda: trio.to_thread.run_sync(threading.Event().wait, limiter=full))
        await trio.sleep(0.3)
        print("ready", flush=True)
        await trio.sleep(3600)

trio.run(main)

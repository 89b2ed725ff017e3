"""anyio on trio: one way to hang or to park for each WAY."""
import os
import threading

import anyio
import anyio.from_thread
import anyio.to_thread

import common


async def wants(lock):
    common.suspended("group-child")
    async with lock:  # <- group-child
        pass


async def group():
    """A task group waits for a task that wants the Lock which is held around it."""
    lock = anyio.Lock()
    async with lock:
        common.suspended("group-parent")
        async with anyio.create_task_group() as tasks:  # <- group-parent
            tasks.start_soon(wants, lock)


def helper(portal):
    common.stuck("portal-thread")
    portal.call(anyio.sleep, 0)  # <- portal-thread


async def joins(portal):
    thread = threading.Thread(target=helper, args=(portal,))
    thread.start()
    common.stuck("portal-loop")
    thread.join()  # <- portal-loop


def portal():
    """The loop of a portal joins a thread that calls into it."""
    with anyio.from_thread.start_blocking_portal("trio") as started:
        started.start_task_soon(joins, started).result()


async def parked():
    """Locks and limiters in use, threads at work, tasks that wait on purpose."""
    lock, event = anyio.Lock(), anyio.Event()
    limiter = anyio.CapacityLimiter(1)

    async def in_turn():
        while True:
            async with lock:
                await anyio.sleep(0.01)

    async def threads():
        while True:
            await anyio.to_thread.run_sync(str, limiter=limiter)
            await anyio.sleep(0.01)

    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(in_turn)
            tasks.start_soon(threads)
        tasks.start_soon(anyio.sleep_forever)
        common.say("parked")
        await event.wait()


common.service()
if os.environ["WAY"] == "portal":
    portal()
else:
    anyio.run(globals()[os.environ["WAY"]], backend=os.environ.get("BACKEND", "trio"))

"""What looks like a hang of trio and is none, or ends; one for each NEAR."""
import os
import threading
import time

import trio

import common


async def wants(lock):
    common.suspended("ring-child")
    async with lock:  # <- ring-child
        pass


async def ring():
    lock = trio.Lock()
    async with lock:
        common.suspended("ring-parent")
        async with trio.open_nursery() as children: children.start_soon(wants, lock)  # <- ring-parent


async def scope():
    """A ring of tasks that the task which began it cancels later."""
    async with trio.open_nursery() as work:
        work.start_soon(ring)
        await trio.sleep(3600)
        work.cancel_scope.cancel()


async def deadline():
    """A ring of tasks within a deadline."""
    with trio.move_on_after(3600):
        await ring()


async def fails(lock):
    await trio.sleep(3600)
    raise RuntimeError


async def sibling():
    """A ring of tasks one of which waits for another task, too, that may fail."""
    lock = trio.Lock()
    async with lock:
        common.suspended("sibling-parent")
        async with trio.open_nursery() as children: [children.start_soon(each, lock) for each in (fails, wants)]  # <- sibling-parent


RACE = """
import trio

async def branch(function, nursery):
    await function()
    nursery.cancel_scope.cancel()

async def race(*functions):
    async with trio.open_nursery() as nursery:
        for function in functions:
            nursery.start_soon(branch, function, nursery)
"""


async def race():
    """A ring of tasks that an installed library cancels when something else is done first."""
    library = {}
    exec(compile(RACE, os.path.dirname(trio.__path__[0]) + "/races/race.py", "exec"), library)
    await library["race"](ring, lambda: trio.sleep(3600))


async def starts(started, task_status):
    await trio.sleep(3600)
    task_status.started()


async def service(lock, task_status=trio.TASK_STATUS_IGNORED):
    async with trio.open_nursery() as parts:
        parts.start_soon(starts, None, task_status)
        common.suspended("service")
        async with lock:  # <- service
            pass


async def started():
    """start() holds a Lock that what is started wants, but a part of it says that it has started."""
    lock = trio.Lock()
    async with trio.open_nursery() as nursery:
        async with lock:
            common.suspended("start")
            await nursery.start(service, lock)  # <- start


def outer():
    trio.from_thread.run(trio.sleep, 0.2)
    common.stuck("grows")
    return trio.from_thread.run(trio.to_thread.run_sync, int)  # <- grows


async def grows():
    """All threads of the limiter wait for one more, and a task will raise the limit."""
    limit = trio.to_thread.current_default_thread_limiter()
    limit.total_tokens = 2
    async with trio.open_nursery() as both:
        both.start_soon(trio.to_thread.run_sync, outer)
        both.start_soon(trio.to_thread.run_sync, outer)
        await trio.sleep(3600)
        limit.total_tokens += 1


async def consume(items):
    async for _ in items:
        pass


async def never(task_status=trio.TASK_STATUS_IGNORED):
    task_status.started()
    await trio.Event().wait()


def works():
    end = time.monotonic() + 600
    while time.monotonic() < end:
        sum(range(1000))
        time.sleep(0.01)


async def hands_on(lock):
    while True:
        async with lock:
            await trio.sleep(0.01)


async def notified(condition):
    async with condition:
        await condition.wait()


async def parked():
    """Everything is parked on purpose: consumers, sleepers, events, conditions; threads that work or idle."""
    put, get = trio.open_memory_channel(0)
    lock, condition = trio.Lock(), trio.Condition()
    limiter = trio.CapacityLimiter(1)
    async with put, trio.open_nursery() as all_of_them:
        for _ in range(3):
            all_of_them.start_soon(hands_on, lock)
        all_of_them.start_soon(consume, get)
        all_of_them.start_soon(trio.sleep_forever)
        all_of_them.start_soon(notified, condition)
        all_of_them.start_soon(trio.to_thread.run_sync, works)
        all_of_them.start_soon(trio.to_thread.run_sync, lambda: trio.from_thread.run(trio.sleep, 600))
        await all_of_them.start(never)
        async with limiter:
            common.say("parked")
            await trio.Event().wait()


async def channel():
    """A full channel whose consumer is slow; a limiter that is used up and moves."""
    put, get = trio.open_memory_channel(1)
    limiter = trio.CapacityLimiter(2)

    async def slow():
        async for _ in get:
            await trio.sleep(0.05)

    async def produce():
        while True:
            await put.send(b"")

    async def in_turn():
        while True:
            await trio.to_thread.run_sync(time.sleep, 0.02, limiter=limiter)

    async with trio.open_nursery() as all_of_them:
        all_of_them.start_soon(slow)
        for _ in range(3):
            all_of_them.start_soon(produce)
            all_of_them.start_soon(in_turn)
        common.say("parked")


def calls_back(token, done):
    trio.from_thread.run(trio.sleep, 0, trio_token=token)
    done.wait()


async def worker_joins():
    """A worker joins a thread that calls into the loop: the loop is free."""
    token = trio.lowlevel.current_trio_token()
    thread = threading.Thread(target=calls_back, args=(token, threading.Event()), daemon=True)
    thread.start()
    common.say("parked")
    await trio.to_thread.run_sync(thread.join)


async def renamed():
    """A release of trio whose functions stand elsewhere: nothing can be told of who waits."""
    for function in vars(trio._core._traps).values():
        code = getattr(function, "__code__", None)
        if code and code.co_filename.endswith("/_traps.py"):
            function.__code__ = code.replace(co_filename="/trio/_core/_moved.py")
    async with trio.open_nursery() as all_of_them:
        for _ in range(6):
            all_of_them.start_soon(trio.sleep, 600)
        await trio.sleep(0.1)
        common.say("parked")


async def main():
    common.service()
    await globals()[os.environ["NEAR"]]()


if __name__ == "__main__":
    trio.run(main)

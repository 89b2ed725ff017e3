"""Hangs of programs on trio, one for each HANG; beside each another task of the loop goes on, as long as the loop does.

Up to CPython 3.9 who leaves a block stands at its last line: the body is on the line of the `async with`.
"""
import os
import threading
import time

import trio

import common

LOCK = threading.Lock()


async def beat():
    while True:
        await trio.sleep(0.1)


# ---- tasks that wait for each other

async def wants(lock):
    common.suspended("nursery-child")
    async with lock:  # <- nursery-child
        pass


async def nursery():
    """Holds a Lock while its nursery waits for a child that wants it."""
    lock = trio.Lock()
    async with lock:
        common.suspended("nursery-parent")
        async with trio.open_nursery() as children: children.start_soon(wants, lock)  # <- nursery-parent


async def first(a, b, has):
    async with a:
        await has.wait()
        common.suspended("locks-first")
        async with b:  # <- locks-first
            pass


async def second(a, b, has):
    async with b:
        has.set()
        common.suspended("locks-second")
        await a.acquire()  # <- locks-second


async def locks():
    """Two Locks in opposite orders."""
    a, b, has = trio.Lock(), trio.StrictFIFOLock(), trio.Event()
    async with trio.open_nursery() as both:
        both.start_soon(first, a, b, has)
        both.start_soon(second, a, b, has)


# ---- the loop and threads

def calls_back(token):
    common.stuck("join-thread")
    trio.from_thread.run(trio.sleep, 0, trio_token=token)  # <- join-thread


async def join():
    """The loop's thread joins a thread that calls into the loop."""
    thread = threading.Thread(target=calls_back, args=(trio.lowlevel.current_trio_token(),))
    thread.start()
    common.stuck("join-loop")
    thread.join()  # <- join-loop


def reports(done):
    time.sleep(0.3)
    common.stuck("queue-thread")
    trio.from_thread.run_sync(str)  # <- queue-thread
    done.set()


async def event():
    """A step waits for an event that a worker thread sets after a call into the loop."""
    done = threading.Event()
    async with trio.open_nursery() as worker:
        worker.start_soon(trio.to_thread.run_sync, reports, done)
        await trio.sleep(0.1)
        common.stuck("event-loop")
        done.wait()  # <- event-loop


def outer():
    trio.from_thread.run(trio.sleep, 0.3)
    common.stuck("limiter")
    return trio.from_thread.run(trio.to_thread.run_sync, int)  # <- limiter


async def limiter():
    """All threads of the limiter wait for one more."""
    trio.to_thread.current_default_thread_limiter().total_tokens = 2
    async with trio.open_nursery() as both:
        both.start_soon(trio.to_thread.run_sync, outer)
        both.start_soon(trio.to_thread.run_sync, outer)


async def keeps():
    with LOCK:
        common.suspended("across-holder")
        await trio.sleep_forever()  # <- across-holder


async def across():
    """A suspended task has a thread's lock, for which the loop's thread waits."""
    async with trio.open_nursery() as holder:
        holder.start_soon(keeps)
        await trio.sleep(0.1)
        common.stuck("across-loop")
        with LOCK:  # <- across-loop
            pass


# ---- units

async def inner_token(tokens):
    common.suspended("tokens-inner")
    async with tokens:  # <- tokens-inner
        pass


async def outer_token(tokens):
    async with tokens:
        await trio.sleep(0.1)
        common.suspended("tokens-outer")
        async with trio.open_nursery() as children: children.start_soon(inner_token, tokens)  # <- tokens-outer


async def tokens():
    """Whoever has the tokens of a CapacityLimiter waits for a child that wants one."""
    await outer_token(trio.CapacityLimiter(1))


async def semaphore():
    """The same with a Semaphore."""
    await outer_token(trio.Semaphore(1, max_value=1))


# ---- steps that do not end

async def blocks():
    """A step of a task sleeps with the loop's thread."""
    common.stuck("blocks")
    time.sleep(600)  # <- blocks


def crunch():
    while True:
        sum(range(1000))  # <- computes


async def computes():
    """A step of a task computes."""
    await trio.sleep(0.05)
    common.computes(crunch, "computes")
    crunch()


async def main():
    common.service()
    async with trio.open_nursery() as program:
        program.start_soon(beat)
        program.start_soon(globals()[os.environ["HANG"]])


if __name__ == "__main__":
    trio.run(main)

"""Hangs and healthy twins with nothing but the standard library, for any CPython from 3.8 on.

    hang.py KIND     prints one JSON line when the state is reached:
                     {"pid": ..., "verdict": ..., "rule": ..., "line": ...}
"""
import asyncio
import concurrent.futures
import json
import os
import sys
import threading
import time

HERE = os.path.abspath(__file__)


def guilty(marker):
    with open(HERE) as f:
        for number, line in enumerate(f, 1):
            if line.rstrip().endswith("# guilty: " + marker):
                return number
    raise LookupError(marker)


def ready(verdict, rule=None, marker=None):
    time.sleep(0.3)
    line = guilty(marker) if marker else None
    print(json.dumps({"pid": os.getpid(), "verdict": verdict, "rule": rule, "line": line}), flush=True)


def loop_thread(name="loop"):
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=name, daemon=True).start()
    return loop


def background(function, *args):
    t = threading.Thread(target=function, args=args, daemon=True)
    t.start()
    return t


async def answer():
    return 42


def self_wait():
    loop = loop_thread()

    async def outer():
        return asyncio.run_coroutine_threadsafe(answer(), loop).result()  # guilty: self_wait

    background(lambda: asyncio.run_coroutine_threadsafe(outer(), loop).result())
    ready("deadlock", "LK101", "self_wait")


def lock_cycle():
    loop, lock, held = loop_thread(), threading.Lock(), threading.Event()

    async def locked():
        held.wait()
        with lock:  # guilty: lock_cycle
            return 1

    def view():
        with lock:
            held.set()
            return asyncio.run_coroutine_threadsafe(locked(), loop).result()

    background(view)
    ready("deadlock", "LK101", "lock_cycle")


def cross_loops():
    a, b = loop_thread("loop-a"), loop_thread("loop-b")
    both = threading.Barrier(2)

    async def on(other):
        both.wait()
        return asyncio.run_coroutine_threadsafe(answer(), other).result()  # guilty: cross_loops

    asyncio.run_coroutine_threadsafe(on(b), a)
    asyncio.run_coroutine_threadsafe(on(a), b)
    ready("deadlock", "LK102", "cross_loops")


def closed_loop():
    loop = loop_thread()

    async def never():
        await asyncio.get_running_loop().create_future()

    future = asyncio.run_coroutine_threadsafe(never(), loop)
    time.sleep(0.1)
    loop.call_soon_threadsafe(loop.stop)
    while loop.is_running():
        time.sleep(0.01)
    loop.close()

    def view():
        return future.result()  # guilty: closed_loop

    background(view)
    ready("deadlock", "LK201", "closed_loop")


def pool_cycle():
    lock = threading.RLock()
    pool = concurrent.futures.ThreadPoolExecutor(2)

    def needs_lock():
        with lock:
            return 1

    def view():
        with lock:
            return pool.submit(needs_lock).result()  # guilty: pool_cycle

    background(view)
    ready("deadlock", "LK108", "pool_cycle")


def healthy_idle():
    loop = loop_thread()
    pool = concurrent.futures.ThreadPoolExecutor(2)
    pool.submit(int).result()
    asyncio.run_coroutine_threadsafe(answer(), loop).result()
    ready("healthy")


def healthy_awaits():
    loop = loop_thread()

    async def child(n):
        await asyncio.sleep(3600)

    async def parent():
        await asyncio.gather(*[child(i) for i in range(3)])

    for _ in range(3):
        asyncio.run_coroutine_threadsafe(parent(), loop)
    ready("healthy")


def healthy_timeout():
    loop = loop_thread()

    def poll():
        while True:
            future = asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), loop)
            future.result(timeout=1)

    background(poll)
    ready("healthy")


# ---- in an interpreter beside the main one ----

def new_interpreter():
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    if sys.version_info >= (3, 12):
        own = interpreters.create()
    else:  # threads are not allowed in one that shares nothing
        own = interpreters.create(isolated=False) if sys.version_info >= (3, 9) else interpreters.create()
    return own, getattr(interpreters, "exec", None) or interpreters.run_string


def within(function):
    """Made by this thread, entered by another one."""
    own, run = new_interpreter()
    code = "import sys; sys.path.insert(0, %r); import hang; hang.%s()" % (os.path.dirname(HERE), function)
    background(run, own, code)
    time.sleep(0.7)


def ready_within(verdict, rule=None, marker=None):
    """Up to 3.9 nothing says on which thread such code runs."""
    ready(verdict, rule, marker) if sys.version_info >= (3, 10) else ready("unknown")


async def waits_for_own_loop():
    return asyncio.run_coroutine_threadsafe(answer(), asyncio.get_running_loop()).result()  # guilty: within


def run_waiting_loop():
    asyncio.run(waits_for_own_loop())


def within_self_wait():
    within("run_waiting_loop")
    ready_within("deadlock", "LK101", "within")


def ring():
    a, b, both = threading.Lock(), threading.Lock(), threading.Barrier(2)

    def takes(first, second):
        with first:
            both.wait()
            with second:  # guilty: ring
                pass

    threading.Thread(target=takes, args=(a, b)).start()
    takes(b, a)


def within_ring():
    within("ring")
    ready_within("deadlock", "LK103", "ring")


def nested_self_wait():
    """An interpreter that the main thread itself has entered: the culprit's is the inner code."""
    threading.Thread(target=lambda: (time.sleep(1), ready_within("deadlock", "LK101", "within"))).start()
    own, run = new_interpreter()
    run(own, "import sys; sys.path.insert(0, %r); import hang; hang.run_waiting_loop()" % os.path.dirname(HERE))


def holds_and_works():
    lock = threading.Lock()

    def waits():
        while True:
            with lock:
                pass

    threading.Thread(target=waits).start()
    while True:
        with lock:
            time.sleep(0.02)


def within_near():
    """The same code in two interpreters: what the one holds the other does not wait for."""
    within("holds_and_works")
    within("holds_and_works")
    ready_within("healthy")


def ticks():
    async def tick():
        while True:
            await asyncio.sleep(0.02)

    async def main():
        await asyncio.get_running_loop().run_in_executor(None, time.time)
        await asyncio.gather(*[tick() for _ in range(3)])

    asyncio.run(main())


def within_healthy():
    for _ in range(3 if sys.version_info >= (3, 12) else 1):  # before, the running loop is one for all of them
        within("ticks")
    ready_within("healthy")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    threading.Event().wait()

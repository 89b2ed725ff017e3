"""What a request does in a soak server, and what goes on beside the requests: SOAK_DRESS names it.

calm           a short sleep
saturated      100 ms on one of two workers, for which more clients compete
hog            calm, with a thread that never gives the GIL back of itself
hammer         a coroutine on a background loop that three threads hammer with call_soon_threadsafe
bursts         a coroutine on a loop that a thread runs in bursts by run_until_complete, beside threads that do asyncio.run
request_loops  the request's own thread runs a loop (a documented hazard)
locks          a lock held 50-200 ms, for which requests and two threads compete
"""
import asyncio
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import common

DRESS = os.environ.get("SOAK_DRESS", "calm")
PATIENCE = 60.0
LOCK = threading.Lock()
POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="two-workers")
LOOP = asyncio.new_event_loop()


def hog():
    total = 0
    while True:
        total = (total * 31 + 7) % 1000003


def hammer(loop):
    room = threading.Semaphore(2000)
    while True:
        for _ in range(50):
            room.acquire()
            loop.call_soon_threadsafe(room.release)
        time.sleep(0.002)


def run_in_bursts():
    while True:
        LOOP.run_until_complete(asyncio.sleep(0.02))
        time.sleep(0.03)


def run_and_close():
    while True:
        asyncio.run(asyncio.sleep(0.02))
        time.sleep(0.02)


def hold_lock():
    while True:
        with LOCK:
            time.sleep(random.uniform(0.05, 0.2))
        time.sleep(random.uniform(0.01, 0.1))


def thread(function, *args):
    threading.Thread(target=function, args=args, name=function.__name__, daemon=True).start()


def start(loop=None):
    """Starts what goes on beside the requests; a server that has a loop of its own may have that one hammered."""
    if DRESS == "hog":
        thread(hog)
    elif DRESS == "hammer":
        for _ in range(3):
            thread(hammer, loop or LOOP)
    elif DRESS == "bursts":
        thread(run_and_close)
    elif DRESS == "locks":
        thread(hold_lock)
        thread(hold_lock)
    thread(run_in_bursts if DRESS == "bursts" else LOOP.run_forever)


async def answer():
    await asyncio.sleep(0.02)
    return "answer\n"


def on_loop(coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, LOOP)


def locked():
    with LOCK:
        time.sleep(random.uniform(0.05, 0.2))
    return "locked\n"


def take(seconds):
    time.sleep(seconds)
    return "taken\n"


def work():
    """The job of one request, from a thread that may block."""
    if DRESS == "saturated":
        return POOL.submit(take, 0.1).result(timeout=PATIENCE)
    if DRESS in ("hammer", "bursts"):
        return on_loop(answer()).result(timeout=PATIENCE)
    if DRESS == "request_loops":
        return asyncio.run(answer())
    return locked() if DRESS == "locks" else take(0.02)


async def work_async():
    """The same from a coroutine."""
    loop = asyncio.get_running_loop()
    if DRESS == "saturated":
        return await loop.run_in_executor(POOL, take, 0.1)
    if DRESS == "locks":
        return await asyncio.to_thread(locked)
    if DRESS == "bursts":
        return await asyncio.wrap_future(on_loop(answer()))
    return await answer()


def slow():
    """A request that is in flight when its server is told to stop."""
    common.say("started")
    return take(1.0)


async def slow_async():
    common.say("started")
    await asyncio.sleep(1.0)
    return "taken\n"

"""Targets of the benchmark:  targets.py KIND HEART_SO HEART_FILE SIZE

server   SIZE hung request threads: one holds a lock and waits for the loop, whose thread wants the lock
loops    SIZE threads, each in run_until_complete of a loop of its own
lock     SIZE threads on one lock
tasks    one loop with SIZE pending tasks, each three awaits deep
deep     SIZE threads, 40 Python frames deep with a ctypes callback every fourth
ballast  server with SIZE MiB of touched memory and 1,220 live containers a MiB
spin     SIZE threads of which half compute and half wait
"""
import asyncio
import ctypes
import sys
import threading
import time

KIND, HEART, FILE, SIZE = sys.argv[1], ctypes.CDLL(sys.argv[2]), sys.argv[3], int(sys.argv[4])
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
arrived = threading.Semaphore(0)


def heartbeat():
    if rc := HEART.heart_start(FILE.encode()):
        raise OSError(rc, "heart_start")


def start(n, function, *args):
    for i in range(n):
        threading.Thread(target=function, args=(i, *args), name=f"{KIND}-{i}", daemon=True).start()
    for _ in range(n):
        arrived.acquire()


def ready():
    time.sleep(0.3)
    heartbeat()
    print("READY", flush=True)


def server():
    loop, lock, held = asyncio.new_event_loop(), threading.Lock(), threading.Event()
    threading.Thread(target=loop.run_forever, name="loop", daemon=True).start()

    async def fetch():
        held.wait()
        with lock:
            return 1

    def view(i):
        arrived.release()
        if i == 0:
            with lock:
                held.set()
                return asyncio.run_coroutine_threadsafe(fetch(), loop).result()
        held.wait()
        return asyncio.run_coroutine_threadsafe(fetch(), loop).result()

    start(10 if KIND == "ballast" else SIZE, view)


def loops():
    async def leaf():
        arrived.release()
        await asyncio.get_running_loop().create_future()

    start(SIZE, lambda i: asyncio.new_event_loop().run_until_complete(leaf()))


def lock():
    one = threading.Lock()
    one.acquire()

    def take(i):
        arrived.release()
        with one:
            pass

    start(SIZE, take)


def deep():
    one = threading.Lock()
    one.acquire()

    def down(n):
        if n >= 40:
            arrived.release()
            with one:
                return 0
        return HEART.heart_call_back(through, n) if n % 4 == 0 else down(n + 1)

    through = CALLBACK(lambda n: down(n + 1))
    start(SIZE, lambda i: down(1))


def spin():
    def work(i):
        arrived.release()
        while i % 2:
            sum(range(1000))
        threading.Event().wait()

    start(SIZE, work)


async def tasks():
    async def leaf(fut):
        await fut

    async def middle(fut):
        await leaf(fut)

    async def job(fut):
        await middle(fut)

    loop = asyncio.get_running_loop()
    all_tasks = [asyncio.create_task(job(loop.create_future())) for _ in range(SIZE)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    ready()
    await asyncio.wait(all_tasks)


if __name__ == "__main__":
    threading.stack_size(512 * 1024)
    heartbeat()
    if KIND == "tasks":
        asyncio.run(tasks())
    if KIND == "ballast":
        memory = bytearray(SIZE << 20)
        memory[::4096] = b"\1" * (SIZE << 8)
        containers = [[] for _ in range(SIZE * 1220)]
    {"server": server, "ballast": server, "loops": loops, "lock": lock, "deep": deep, "spin": spin}[KIND]()
    ready()
    threading.Event().wait()

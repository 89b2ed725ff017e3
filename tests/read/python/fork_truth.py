"""A forked child that waits for what only threads of its parent could give, and says on stdout where that is.

One line of JSON: for each lock and pool its address, and whether it was lost in the fork. Run by test_fork.c.
"""
import concurrent.futures
import json
import os
import threading
import time

never = threading.Event()
of_thread, of_main, of_child = threading.RLock(), threading.RLock(), threading.RLock()
lost, alive = (concurrent.futures.ThreadPoolExecutor(1) for _ in range(2))


def hold(lock, held):
    with lock:
        held.set()
        never.wait()


def start(target, *args):
    threading.Thread(target=target, args=args, daemon=True).start()


def held_by_thread(lock):
    held = threading.Event()
    start(hold, lock, held)
    held.wait()


def take(lock):
    with lock:
        pass


def child(parent):
    held_by_thread(of_child)
    alive.submit(never.wait)
    start(lambda: alive.submit(int).result())
    start(lambda: lost.submit(int).result())
    for lock in (of_thread, of_main, of_child):
        start(take, lock)
    time.sleep(0.3)
    truth = json.dumps({"pid": os.getpid(), "parent": parent,
                        "locks": {"of_thread": [id(of_thread), True], "of_main": [id(of_main), True],
                                  "of_child": [id(of_child), False]},
                        "pools": {"lost": [id(lost), True], "alive": [id(alive), False]}})
    os.write(1, truth.encode() + b"\n")  # at once: the reader closes its end after the last brace
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def fork():
    parent = os.getpid()
    if os.fork() == 0:
        child(parent)
    never.wait()


of_main.acquire()
# The child's first threads get the stacks, and so the idents, of those that were not copied, last one first.
held_by_thread(of_thread)
lost.submit(int).result()
for _ in range(8):
    start(never.wait)
start(fork)
never.wait()

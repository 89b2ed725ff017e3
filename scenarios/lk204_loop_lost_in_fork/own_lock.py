"""os.fork() while another thread holds a lock; the child makes itself a new one, and two threads of it contend for that."""
import os
import threading
import time

import common

LOCK = threading.Lock()
HELD = threading.Event()


def hold():
    with LOCK:
        HELD.set()
        time.sleep(3600)


def work(lock):
    while True:
        with lock:
            time.sleep(0.05)


def child():
    lock = threading.Lock()
    threading.Thread(target=work, args=(lock,), daemon=True).start()
    common.stuck()
    work(lock)  # <- guilty


if __name__ == "__main__":
    threading.Thread(target=hold, name="holder", daemon=True).start()
    HELD.wait()
    if os.fork() == 0:
        child()
    common.serve_plain({})

"""A greenlet of one thread holds a lock while it sleeps; another thread waits for it, and gets it when that thread's hub wakes the greenlet."""
import threading
import time

import gevent

import common

LOCK = threading.Lock()
TAKEN = threading.Event()


def hold():
    with LOCK:
        TAKEN.set()
        gevent.sleep(600)


def want():
    TAKEN.wait()
    common.waiting()
    with LOCK:
        time.sleep(600)


if __name__ == "__main__":
    common.service()
    threading.Thread(target=want, name="wants", daemon=True).start()
    threading.Thread(target=lambda: gevent.spawn(hold).join(), name="hub", daemon=True).start()
    threading.Event().wait(600)

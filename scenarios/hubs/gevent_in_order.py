"""A gevent server in order: locks that change hands, consumers of a queue that stays empty, a ticker, a pool's idle thread."""
from gevent import monkey; monkey.patch_all()
import queue
import threading
import time

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore

import common

STOCK, PRICE, SLOTS, ORDERS, NEVER = threading.RLock(), threading.Lock(), BoundedSemaphore(2), queue.Queue(), Event()


def consume():
    while True:
        ORDERS.get()


def tick():
    while True:
        gevent.sleep(0.05)


def transfer():
    with SLOTS, STOCK:
        time.sleep(0.01)
        with PRICE:
            NEVER.wait(timeout=0.01)
    return "moved\n"


if __name__ == "__main__":
    for job in (consume, consume, tick, NEVER.wait):
        gevent.spawn(job)
    threading.Thread(target=threading.Event().wait, name="parked", daemon=True).start()
    gevent.get_hub().threadpool.apply(len, ("warm",))
    common.serve_gevent({"/transfer": transfer})

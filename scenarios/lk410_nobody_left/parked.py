"""Near misses: a main thread that parks until the process is told to end, by a handler or not, or joins a consumer.

SCENARIO_PARKED says which.
"""
import os
import queue
import signal
import threading

import common

ORDERS = queue.Queue()
STOP = threading.Event()


def consume():
    while True:
        ORDERS.get()


def park_event():
    common.waiting()
    STOP.wait()


def park_handler():
    signal.signal(signal.SIGTERM, lambda *_: STOP.set())
    waiter = threading.Thread(target=STOP.wait, name="stopper")
    waiter.start()
    common.waiting()
    waiter.join()


def park_consumer():
    consumer = threading.Thread(target=consume, name="consumer")
    consumer.start()
    common.waiting()
    consumer.join()


def park_timer():
    threading.Timer(3600, STOP.set).start()
    threading.Thread(target=STOP.wait, name="waiter").start()
    ORDERS.put("order")
    common.waiting()
    ORDERS.join()


if __name__ == "__main__":
    common.service()
    {"event": park_event, "handler": park_handler, "consumer": park_consumer, "timer": park_timer}[os.environ["SCENARIO_PARKED"]]()

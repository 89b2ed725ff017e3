"""Units of semaphores under gevent: whoever has them waits for a greenlet that wants one; and what only looks like that."""
from gevent import monkey; monkey.patch_all()
import os
import signal
import threading
import time

import gevent
from gevent.lock import BoundedSemaphore, Semaphore
from gevent.pool import Pool

import common

BOUNDED, PLAIN, GIVEN = BoundedSemaphore(1), Semaphore(2), Semaphore(1)
HUB, KEPT, POOL = gevent.get_hub(), [], Pool(2)


def take(units):
    common.suspended("guilty-inner")
    with units:  # <- guilty-inner
        return "taken\n"


def nested(units=BOUNDED):
    with units:
        child = gevent.spawn(take, units)
        common.suspended("guilty-outer")
        child.join()  # <- guilty-outer
    return "nested\n"


def twice():
    with PLAIN:
        time.sleep(0.2)
        common.suspended("guilty-second")
        with PLAIN:  # <- guilty-second
            return "twice\n"


def by_hand():
    GIVEN.acquire()
    try:
        return take(GIVEN)
    finally:
        GIVEN.release()


def given(begin):
    """Somebody else gives a unit back, some time."""
    units = Semaphore(1)
    begin(units)
    return nested(units)


def timer(units):
    gevent.spawn_later(3600, units.release)


def loop_timer(units):
    KEPT.append(HUB.loop.timer(3600))
    KEPT[-1].start(units.release)


def descriptor(units):
    r, _ = os.pipe()
    KEPT.append(HUB.loop.io(r, 1))
    KEPT[-1].start(lambda: units.release())


def asked_by_signal(units):
    KEPT.append(gevent.signal_handler(signal.SIGUSR1, units.release))


def greenlet(units):
    def later():
        time.sleep(3600)
        units.release()
    gevent.spawn(later)


def linked(units):
    gevent.spawn(time.sleep, 3600).link(lambda _: units.release())


def thread(units):
    def later():
        monkey.get_original("time", "sleep")(3600)
        units.release()
    HUB.threadpool.spawn(later)


def threading_timer(units):
    threading.Timer(3600, units.release).start()


def part():
    time.sleep(0.2)
    common.suspended("guilty-pool")
    return POOL.spawn(str).get()  # <- guilty-pool


def pooled():
    return POOL.spawn(part).get()


def pooled_sleeper():
    return POOL.spawn(time.sleep, 3600).get()


def killed():
    def watch(greenlet):
        time.sleep(3600)
        greenlet.kill()
    with BOUNDED:
        child = gevent.spawn(take, BOUNDED)
        gevent.spawn(watch, child)
        common.suspended("guilty-killed")
        child.join()  # <- guilty-killed
    return "killed\n"


def third(units=PLAIN):
    with units:
        time.sleep(3600)
    return "third\n"


def slow():
    with BOUNDED:
        time.sleep(0.02)
    return "slow\n"


if __name__ == "__main__":
    views = {"/" + f.__name__: f for f in (nested, twice, by_hand, pooled, pooled_sleeper, killed, third, slow)}
    for begin in (timer, loop_timer, descriptor, asked_by_signal, greenlet, linked, thread, threading_timer):
        views["/" + begin.__name__] = lambda begin=begin: given(begin)
    common.serve_gevent(views)

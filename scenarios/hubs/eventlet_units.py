"""Units of semaphores under eventlet: whoever has them waits for a greenlet that wants one; and what only looks like that."""
import eventlet; eventlet.monkey_patch(os=False)
import time

import eventlet.hubs
import eventlet.tpool
from eventlet.semaphore import BoundedSemaphore, Semaphore

import common

BOUNDED, PLAIN, GIVEN, POOL = BoundedSemaphore(1), Semaphore(2), Semaphore(1), eventlet.GreenPool(2)


def take(units):
    common.suspended("guilty-inner")
    with units:  # <- guilty-inner
        return "taken\n"


def nested(units=BOUNDED):
    with units:
        child = eventlet.spawn(take, units)
        common.suspended("guilty-outer")
        child.wait()  # <- guilty-outer
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
    eventlet.spawn_after(3600, units.release)


def hub_timer(units):
    eventlet.hubs.get_hub().schedule_call_global(3600, lambda: units.release())


def greenlet(units):
    def later():
        time.sleep(3600)
        units.release()
    eventlet.spawn_n(later)


def linked(units):
    eventlet.spawn(time.sleep, 3600).link(lambda _: units.release())


def thread(units):
    def later():
        eventlet.patcher.original("time").sleep(3600)
        units.release()
    eventlet.spawn_n(eventlet.tpool.execute, later)
    time.sleep(0.1)


def asks_pool():
    common.suspended("guilty-pool")
    POOL.spawn(str).wait()  # <- guilty-pool


def part():
    time.sleep(0.2)
    child = eventlet.spawn(asks_pool)
    common.suspended("guilty-part")
    return child.wait()  # <- guilty-part


def pooled():
    return POOL.spawn(part).wait()


def pooled_sleeper():
    POOL.spawn_n(time.sleep, 3600)
    time.sleep(0)
    return "spawned\n"


def slow():
    with BOUNDED:
        time.sleep(0.02)
    return "slow\n"


if __name__ == "__main__":
    views = {"/" + f.__name__: f for f in (nested, twice, by_hand, pooled, pooled_sleeper, slow)}
    for begin in (timer, hub_timer, greenlet, linked, thread):
        views["/" + begin.__name__] = lambda begin=begin: given(begin)
    common.serve_eventlet(views)

"""A lock from before the patching is held by a greenlet that sleeps, and the next one of that hub blocks the thread on it."""
from gevent import monkey; monkey.patch_all()
import time

import common

CACHE = monkey.get_original("threading", "_allocate_lock")()


def refresh():
    with CACHE:
        common.suspended("guilty-holder")
        time.sleep(0.2)  # <- guilty-holder
    return "fresh\n"


def look_up():
    common.stuck("guilty-waiter")
    with CACHE:  # <- guilty-waiter
        return "found\n"


if __name__ == "__main__":
    common.serve_gevent({"/refresh": refresh, "/look-up": look_up})

"""Under gunicorn's gevent worker: a lock from before the patching that a suspended greenlet holds."""
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
    if CACHE.locked():
        common.stuck("guilty-waiter")
    with CACHE:  # <- guilty-waiter
        return "found\n"


def slow():
    common.say("waiting")
    time.sleep(600)
    return "slept\n"


application = common.wsgi({"/refresh": refresh, "/look-up": look_up, "/slow": slow})
common.say("worker")

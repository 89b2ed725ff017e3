"""Both threads of a gevent pool wait for what a third piece of work would bring, and that waits for one of them."""
from gevent import monkey; monkey.patch_all()
import gevent
from gevent.threadpool import ThreadPool

import common

POOL = ThreadPool(2)
BROUGHT = monkey.get_original("queue", "SimpleQueue")() if monkey.is_module_patched("queue") else __import__("queue").SimpleQueue()


def take():
    common.stuck()
    return BROUGHT.get()  # <- guilty


def outer():
    return POOL.apply(take)


def inner():
    common.say("waiting")
    POOL.apply(BROUGHT.put, ("it\n",))
    return "brought\n"


if __name__ == "__main__":
    common.serve_gevent({"/outer": outer, "/inner": inner})

"""More requests than a gevent pool has threads, and each is answered in its turn."""
from gevent import monkey; monkey.patch_all()
import hashlib

from gevent.threadpool import ThreadPool

import common

POOL = ThreadPool(2)
PAUSE = monkey.get_original("time", "sleep")


def work():
    PAUSE(0.02)
    return hashlib.sha256(b"x" * 100000).hexdigest() + "\n"


if __name__ == "__main__":
    common.serve_gevent({"/hash": lambda: POOL.apply(work)})

"""A C library that gevent cannot patch blocks in a request's greenlet, and with it the hub."""
from gevent import monkey; monkey.patch_all()
import ctypes

import common

DRIVER = ctypes.CDLL(None)


def query():
    common.stuck()
    DRIVER.sleep(600)  # <- guilty
    return "asked\n"


if __name__ == "__main__":
    common.serve_gevent({"/query": query})

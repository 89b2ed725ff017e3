"""Two requests of a gevent or an eventlet server (HUB) take the same two locks, each the other one first."""
import os

if os.environ["HUB"] == "gevent":
    from gevent import monkey; monkey.patch_all()
else:
    import eventlet; eventlet.monkey_patch(os=False)
import threading
import time

import common

STOCK, PRICE = threading.RLock(), threading.RLock()


def transfer():
    with STOCK:
        time.sleep(0.1)
        common.suspended("guilty-transfer")
        with PRICE:  # <- guilty-transfer
            return "moved\n"


def report():
    with PRICE:
        time.sleep(0.1)
        common.suspended("guilty-report")
        with STOCK:  # <- guilty-report
            return "counted\n"


if __name__ == "__main__":
    getattr(common, "serve_" + os.environ["HUB"])({"/transfer": transfer, "/report": report})

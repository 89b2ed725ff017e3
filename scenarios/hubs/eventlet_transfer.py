"""Two requests of an eventlet server take the same two locks, each the other one first."""
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
    common.serve_eventlet({"/transfer": transfer, "/report": report})

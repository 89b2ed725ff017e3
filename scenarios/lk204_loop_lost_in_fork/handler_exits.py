"""The same, but what the handler does ends no wait: the lock was held by a thread that stayed in the parent."""
import os
import signal
import sys
import threading
import time

import common

LOCK = threading.Lock()
HELD = threading.Event()


def hold():
    with LOCK:
        HELD.set()
        time.sleep(3600)


def child():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    common.stuck()
    LOCK.acquire()  # <- guilty


if __name__ == "__main__":
    threading.Thread(target=hold, name="holder", daemon=True).start()
    HELD.wait()
    if os.fork() == 0:
        child()
    common.serve_plain({})

"""A forked child parks at a lock that it inherited held; its own signal handler gives that back. Locks serve as signals, too."""
import os
import signal
import threading

import common

GATE = threading.Lock()


def child():
    signal.signal(signal.SIGUSR1, lambda *_: GATE.release())
    common.stuck()
    while True:
        GATE.acquire()  # <- guilty


if __name__ == "__main__":
    GATE.acquire()
    if os.fork() == 0:
        child()
    common.serve_plain({})

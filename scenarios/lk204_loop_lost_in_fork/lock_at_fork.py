"""os.fork() while another thread holds a lock: in the child nobody is left to give it back."""
import os
import threading
import time

import common

LOCK = threading.Lock()
HELD = threading.Event()


def hold():
    while True:
        with LOCK:
            HELD.set()
            time.sleep(3600)


def child():
    common.stuck()
    with LOCK:  # <- guilty
        pass


if __name__ == "__main__":
    threading.Thread(target=hold, name="holder", daemon=True).start()
    HELD.wait()
    if os.fork() == 0:
        child()
        os._exit(0)
    common.serve_plain({})

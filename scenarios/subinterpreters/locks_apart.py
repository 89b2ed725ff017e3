"""Near miss: the same code in two interpreters, whose locks have the same names and are others; each is given back in time."""
import threading
import time

import within

STOCK, LEDGER = threading.Lock(), threading.Lock()


def sell():
    while True:
        with STOCK:
            with LEDGER:
                time.sleep(0.01)


def work():
    threading.Thread(target=sell).start()
    while True:
        with STOCK:
            time.sleep(0.01)


if __name__ == "__main__":
    within.enter("work")
    within.enter("work")
    within.park()

"""Two threads of one subinterpreter take two locks in opposite order."""
import threading

import common
import within

STOCK, LEDGER = threading.Lock(), threading.Lock()
both = threading.Barrier(2)


def sell():
    with STOCK:
        both.wait()
        common.stuck("guilty-one")
        with LEDGER:  # <- guilty-one
            pass


def book():
    with LEDGER:
        both.wait()
        common.stuck("guilty-two")
        with STOCK:  # <- guilty-two
            pass


def work():
    threading.Thread(target=sell).start()
    book()


if __name__ == "__main__":
    within.enter("work")
    within.park()

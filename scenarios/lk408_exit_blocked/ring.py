"""Two threads wait for each other's lock, and the end of the program waits for both: it is their victim."""
import threading

import common

stock, orders = threading.Lock(), threading.Lock()
both = threading.Barrier(2)


def book(first, then):
    with first:
        both.wait()
        common.stuck()
        with then:  # <- guilty
            pass


if __name__ == "__main__":
    common.service()
    threading.Thread(target=book, args=[stock, orders]).start()
    threading.Thread(target=book, args=[orders, stock]).start()

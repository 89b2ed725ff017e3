"""Two threads take two locks by bare acquire() calls in opposite order; they are all the threads there are."""
import threading

import common

FIRST, SECOND = threading.Lock(), threading.Lock()
both = threading.Barrier(2)


def one():
    FIRST.acquire()
    both.wait()
    common.stuck("guilty-one")
    SECOND.acquire()  # <- guilty-one


def two():
    SECOND.acquire()
    both.wait()
    common.stuck("guilty-two")
    FIRST.acquire()  # <- guilty-two


if __name__ == "__main__":
    common.say("listening", port=None)
    threading.Thread(target=one).start()
    two()

"""A C extension waits for its mutex with the GIL held; the mutex's holder wants the GIL."""
import os
import sys
import threading
import time

import common

sys.path.insert(0, os.environ["SCENARIO_BUILD"])
import store  # noqa: E402


def refresh():
    common.computes(refresh, "guilty-refresh")  # who waits for the GIL wakes up again and again
    store.refresh()  # <- guilty-refresh


def look_up():
    while not store.is_refreshing():
        time.sleep(0.001)
    common.stuck("guilty-lookup")
    store.lookup()  # <- guilty-lookup


if __name__ == "__main__":
    common.say("listening", port=None)
    threading.Thread(target=refresh).start()
    look_up()

"""A C library called by ctypes: through PyDLL it waits for its mutex with the GIL held; through CDLL it calls back into
Python, which needs the GIL, while it holds that mutex."""
import ctypes
import os
import threading
import time

import common

PATH = os.path.join(os.environ["SCENARIO_BUILD"], "table.so")
free, keeping = ctypes.CDLL(PATH), ctypes.PyDLL(PATH)
VISIT = ctypes.CFUNCTYPE(None)


def walk():
    visit = VISIT(lambda: None)
    common.computes(walk, "guilty-walk")  # who waits for the GIL wakes up again and again
    free.table_walk(visit, 1)  # <- guilty-walk


def look_up():
    while not free.table_walking():
        time.sleep(0.001)
    common.stuck("guilty-lookup")
    keeping.table_lookup()  # <- guilty-lookup


if __name__ == "__main__":
    common.say("listening", port=None)
    threading.Thread(target=walk).start()
    look_up()

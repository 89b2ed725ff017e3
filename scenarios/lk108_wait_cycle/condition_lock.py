"""A view waits for a condition with another lock in hand, which whoever would notify it wants first (SCENARIO_CLOCK: no).

Near miss: a thread that ticks notifies, too, and needs no lock but the condition's (yes).
"""
import os
import threading
import time

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
ORDERS = threading.Lock()
PACKED = threading.Condition()
READY = []


@app.get("/collect")
def collect():
    with ORDERS, PACKED:
        common.stuck("guilty-collect")
        while not READY:
            PACKED.wait()  # <- guilty-collect
    return "collected\n"


@app.get("/pack")
def pack():
    common.stuck("guilty-pack")
    with ORDERS:  # <- guilty-pack
        with PACKED:
            READY.append(1)
            PACKED.notify_all()
    return "packed\n"


def tick():
    while True:
        time.sleep(3600)
        with PACKED:
            PACKED.notify_all()


if __name__ == "__main__":
    if os.environ["SCENARIO_CLOCK"] == "yes":
        threading.Thread(target=tick, daemon=True).start()
    common.serve(app)

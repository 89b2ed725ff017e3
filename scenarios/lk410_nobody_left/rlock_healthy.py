"""The same meter, whose `with` gives the lock back; the readers take turns with one that holds it for a while."""
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
READINGS = threading.RLock()
TOTAL = {"kWh": 0}


def add_reading(text):
    with READINGS:
        TOTAL["kWh"] += int(text)


def keep_reading():
    while True:
        with READINGS:
            time.sleep(0.05)
        time.sleep(0.01)


@app.get("/total")
def total():
    with READINGS:
        return "%d\n" % TOTAL["kWh"]


def break_meter():
    threading.excepthook = lambda args: None
    meter = threading.Thread(target=add_reading, args=("twelve",))
    meter.start()
    meter.join()


if __name__ == "__main__":
    break_meter()
    threading.Thread(target=keep_reading, name="reader", daemon=True).start()
    common.serve(app)

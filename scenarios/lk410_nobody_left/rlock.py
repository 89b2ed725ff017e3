"""A meter's thread takes an RLock by acquire() and dies of an exception before release(): the next reader waits for ever."""
import threading

from flask import Flask

import common

app = Flask(__name__)
READINGS = threading.RLock()
TOTAL = {"kWh": 0}


def add_reading(text):
    READINGS.acquire()
    TOTAL["kWh"] += int(text)
    READINGS.release()


@app.get("/total")
def total():
    common.stuck()
    READINGS.acquire()  # <- guilty
    kwh = TOTAL["kWh"]
    READINGS.release()
    return "%d\n" % kwh


def break_meter():
    threading.excepthook = lambda args: None
    threading.stack_size(256 * 1024)  # of its own size, so that no later thread gets this one's stack, and its identity
    meter = threading.Thread(target=add_reading, args=("twelve",))
    meter.start()
    meter.join()
    threading.stack_size(0)


if __name__ == "__main__":
    break_meter()
    common.serve(app)

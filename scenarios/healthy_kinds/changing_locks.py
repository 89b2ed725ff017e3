"""Contended locks that change hands all the time: a Lock, an RLock and two in the same order."""
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
FIRST, SECOND, THIRD = threading.Lock(), threading.Lock(), threading.RLock()


def churn():
    while True:
        with FIRST:
            time.sleep(0.002)
            with SECOND:
                time.sleep(0.001)
        with THIRD:
            time.sleep(0.001)


for number in range(4):
    threading.Thread(target=churn, name="churn-%d" % number, daemon=True).start()


@app.get("/count")
def count():
    with FIRST, SECOND:
        return "counted\n"


if __name__ == "__main__":
    common.serve(app)

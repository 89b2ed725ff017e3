"""Two views take two locks in opposite orders; each gives up its first one when it does not get the second in time."""
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
ACCOUNTS = threading.Lock()
AUDIT = threading.Lock()


def take_both(first, second):
    while True:
        with first:
            time.sleep(0.05)
            if second.acquire(timeout=0.1):
                second.release()
                return "done\n"
        time.sleep(0.02)


@app.get("/transfer")
def transfer():
    return take_both(ACCOUNTS, AUDIT)


@app.get("/report")
def report():
    return take_both(AUDIT, ACCOUNTS)


if __name__ == "__main__":
    common.serve(app)

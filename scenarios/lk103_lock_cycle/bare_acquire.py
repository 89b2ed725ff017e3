"""Two views, two locks in opposite orders, but taken by bare acquire(): who holds a Lock then is only inferred."""
import threading

from flask import Flask

import common

app = Flask(__name__)
ACCOUNTS = threading.Lock()
AUDIT = threading.Lock()
BOTH = threading.Barrier(2)


def take(first, second):
    first.acquire()
    BOTH.wait(20)
    common.stuck()
    second.acquire()  # <- guilty
    second.release()
    first.release()
    return "done\n"


@app.get("/transfer")
def transfer():
    return take(ACCOUNTS, AUDIT)


@app.get("/report")
def report():
    return take(AUDIT, ACCOUNTS)


if __name__ == "__main__":
    common.serve(app)

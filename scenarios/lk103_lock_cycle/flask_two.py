"""Two views take the same two locks in opposite orders."""
import threading

from flask import Flask

import common

app = Flask(__name__)
ACCOUNTS = threading.Lock()
AUDIT = threading.Lock()
READY = {"transfer": threading.Event(), "report": threading.Event()}


def both_hold(mine, other):
    """Neither goes on before the other has its first lock, too."""
    READY[mine].set()
    READY[other].wait(20)


@app.get("/transfer")
def transfer():
    with ACCOUNTS:
        both_hold("transfer", "report")
        common.stuck("guilty-transfer")
        with AUDIT:  # <- guilty-transfer
            return "moved\n"


@app.get("/report")
def report():
    with AUDIT:
        both_hold("report", "transfer")
        common.stuck("guilty-report")
        with ACCOUNTS:  # <- guilty-report
            return "written\n"


if __name__ == "__main__":
    common.serve(app)

"""The same two views: both take the locks in one order."""
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
ACCOUNTS = threading.Lock()
AUDIT = threading.Lock()


@app.get("/transfer")
def transfer():
    with ACCOUNTS:
        time.sleep(0.05)
        with AUDIT:
            return "moved\n"


@app.get("/report")
def report():
    with ACCOUNTS, AUDIT:
        time.sleep(0.05)
        return "written\n"


if __name__ == "__main__":
    common.serve(app)

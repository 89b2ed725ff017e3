"""An RLock is taken three times over by its holder, who works a little and gives it back."""
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
LOCK = threading.RLock()


def innermost():
    with LOCK:
        time.sleep(0.05)
        return "counted\n"


def inner():
    with LOCK:
        return innermost()


@app.get("/count")
def count():
    with LOCK:
        return inner()


if __name__ == "__main__":
    common.serve(app)

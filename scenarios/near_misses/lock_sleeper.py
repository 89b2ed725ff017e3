"""A thread sleeps 50 to 200 ms with a lock in its hands and releases it; requests wait for that lock."""
import itertools
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
LOCK = threading.Lock()


def sleep_with_lock():
    for seconds in itertools.cycle((0.05, 0.1, 0.2)):
        with LOCK:
            time.sleep(seconds)
        time.sleep(0.02)


threading.Thread(target=sleep_with_lock, name="sleeper", daemon=True).start()


@app.get("/count")
def count():
    with LOCK:
        return "counted\n"


if __name__ == "__main__":
    common.serve(app)

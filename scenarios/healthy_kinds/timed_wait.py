"""A request waits for a future with a short timeout, again and again, until another thread sets it."""
import concurrent.futures
import threading
import time

from flask import Flask

import common

app = Flask(__name__)


def compute(answer):
    time.sleep(0.5)
    answer.set_result("computed\n")


@app.get("/compute")
def compute_view():
    answer = concurrent.futures.Future()
    threading.Thread(target=compute, args=(answer,), daemon=True).start()
    while True:
        try:
            return answer.result(timeout=0.1)
        except concurrent.futures.TimeoutError:
            continue


if __name__ == "__main__":
    common.serve(app)

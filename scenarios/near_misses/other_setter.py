"""Requests wait for bare futures; a live thread, which no table names, sets them."""
import concurrent.futures
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
ASKED = []


def answer_all():
    while True:
        time.sleep(0.1)
        while ASKED:
            ASKED.pop().set_result("answered\n")


threading.Thread(target=answer_all, name="answerer", daemon=True).start()


@app.get("/ask")
def ask():
    answer = concurrent.futures.Future()
    ASKED.append(answer)
    return answer.result(timeout=10)


if __name__ == "__main__":
    common.serve(app)

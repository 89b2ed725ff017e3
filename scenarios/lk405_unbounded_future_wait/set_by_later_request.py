"""A view waits without a timeout for a future that some later request may, or may not, set."""
import concurrent.futures

from flask import Flask

import common

app = Flask(__name__)
PENDING = {}


@app.get("/pay/<order>")
def pay(order):
    confirmation = PENDING[order] = concurrent.futures.Future()
    common.stuck()
    return confirmation.result()  # <- guilty


@app.get("/webhook/<order>")
def webhook(order):
    PENDING.pop(order).set_result("paid\n")
    return "thanks\n"


if __name__ == "__main__":
    common.serve(app)

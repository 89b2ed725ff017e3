"""The same payment; the view waits a bounded time and says that it is not paid yet."""
import concurrent.futures

from flask import Flask

import common

app = Flask(__name__)
PENDING = {}


@app.get("/pay/<order>")
def pay(order):
    confirmation = PENDING.setdefault(order, concurrent.futures.Future())
    try:
        return confirmation.result(timeout=0.5)
    except concurrent.futures.TimeoutError:
        return "not yet\n"


@app.get("/webhook/<order>")
def webhook(order):
    PENDING.pop(order).set_result("paid\n")
    return "thanks\n"


if __name__ == "__main__":
    common.serve(app)

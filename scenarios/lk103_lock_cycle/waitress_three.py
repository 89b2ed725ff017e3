"""Three waitress workers, three locks (one of them a Condition's), a ring; two are held through a context manager and an ExitStack."""
import contextlib
import threading

from flask import Flask

import common

app = Flask(__name__)
STOCK = threading.RLock()
PRICES = threading.Lock()
ORDERS = threading.Condition()
EVERYONE = threading.Barrier(3)


@contextlib.contextmanager
def pricing():
    common.stuck("guilty-stock")
    with PRICES:  # <- guilty-stock
        yield


@app.get("/stock")
def stock():
    with STOCK:
        EVERYONE.wait(20)
        with pricing():
            return "stock\n"


@app.get("/price")
def price():
    with contextlib.ExitStack() as stack:
        stack.enter_context(PRICES)
        EVERYONE.wait(20)
        common.stuck("guilty-price")
        with ORDERS:  # <- guilty-price
            return "price\n"


@app.get("/order")
def order():
    with ORDERS:
        EVERYONE.wait(20)
        common.stuck("guilty-order")
        with STOCK:  # <- guilty-order
            return "order\n"


if __name__ == "__main__":
    common.serve_waitress(app)

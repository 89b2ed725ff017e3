"""Two loops whose coroutines block on each other for a moment: each gives up after its timeout, and the server goes on."""
import asyncio
import concurrent.futures
import threading

from flask import Flask

import common

app = Flask(__name__)
ORDERS = asyncio.new_event_loop()
STOCK = asyncio.new_event_loop()
threading.Thread(target=ORDERS.run_forever, name="orders-loop", daemon=True).start()
threading.Thread(target=STOCK.run_forever, name="stock-loop", daemon=True).start()


async def price():
    return 42


def ask(coroutine, loop, timeout):
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    try:
        return future.result(timeout)
    except concurrent.futures.TimeoutError:
        return 0


async def reserve():
    return ask(price(), ORDERS, 0.05)


async def order():
    return ask(reserve(), STOCK, 0.1)


@app.get("/order")
def place_order():
    return "%d\n" % asyncio.run_coroutine_threadsafe(order(), ORDERS).result(10)


if __name__ == "__main__":
    common.serve(app)

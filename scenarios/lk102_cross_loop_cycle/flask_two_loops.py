"""Two background loops; a coroutine of each blocks its loop's thread for a coroutine of the other."""
import asyncio
import threading

from flask import Flask, jsonify

import common

app = Flask(__name__)
ORDERS = asyncio.new_event_loop()
STOCK = asyncio.new_event_loop()
threading.Thread(target=ORDERS.run_forever, name="orders-loop", daemon=True).start()
threading.Thread(target=STOCK.run_forever, name="stock-loop", daemon=True).start()


async def price():
    await asyncio.sleep(0.01)
    return 42


async def reserve():
    future = asyncio.run_coroutine_threadsafe(price(), ORDERS)
    common.stuck("guilty-stock")
    return future.result()  # <- guilty-stock


async def order():
    future = asyncio.run_coroutine_threadsafe(reserve(), STOCK)
    common.stuck("guilty-orders")
    return future.result()  # <- guilty-orders


@app.get("/order")
def place_order():
    future = asyncio.run_coroutine_threadsafe(order(), ORDERS)
    common.waiting()
    return jsonify(price=future.result())


if __name__ == "__main__":
    common.serve(app)

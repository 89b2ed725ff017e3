"""The same two loops; each awaits the other's future through asyncio.wrap_future."""
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
    await asyncio.sleep(0.2)
    return 42


async def reserve():
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(price(), ORDERS))


async def order():
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(reserve(), STOCK))


@app.get("/order")
def place_order():
    future = asyncio.run_coroutine_threadsafe(order(), ORDERS)
    return jsonify(price=future.result(timeout=10))


if __name__ == "__main__":
    common.serve(app)

"""The same blocking calls, each in a thread of the loop's executor: the loop stays free."""
import asyncio
import queue
import subprocess
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
ORDERS = queue.Queue()


def take_order():
    return ORDERS.get(timeout=5)


def convert():
    return subprocess.run(["sleep", "0.2"], check=True)


async def work():
    order = asyncio.to_thread(take_order)
    converted = LOOP.run_in_executor(None, convert)
    ORDERS.put("order")
    await asyncio.gather(order, converted)
    return "ok\n"


@app.get("/work")
def work_view():
    return asyncio.run_coroutine_threadsafe(work(), LOOP).result(timeout=20)


if __name__ == "__main__":
    common.serve(app)

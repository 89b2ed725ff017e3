"""A coroutine calls a company's own driver, which waits in its C library on the loop's thread."""
import asyncio
import os
import threading

from flask import Flask

import common
from acme_printer import client

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
PRINTER = client.Printer()


async def print_label(text):
    if os.environ.get("DRIVER_KNOWN"):
        common.stuck()
    else:
        common.stuck_in(client.Printer.submit, "driver")
    PRINTER.submit(text)  # <- guilty
    return "printed\n"


async def version():
    return "1.0\n"


@app.get("/label")
def label_view():
    future = asyncio.run_coroutine_threadsafe(print_label("fragile"), LOOP)
    common.waiting()
    return future.result()


@app.get("/version")
def version_view():
    future = asyncio.run_coroutine_threadsafe(version(), LOOP)
    common.waiting()
    return future.result()


if __name__ == "__main__":
    common.serve(app)

"""Looks like the loop that waits for itself, but the wait has a timeout: held up, not deadlocked."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def query():
    return "rows\n"


def query_sync():
    future = asyncio.run_coroutine_threadsafe(query(), LOOP)
    common.stuck()
    return future.result(timeout=120)  # <- guilty


async def report():
    return query_sync()


@app.get("/report")
def report_view():
    future = asyncio.run_coroutine_threadsafe(report(), LOOP)
    common.waiting()
    return future.result()


if __name__ == "__main__":
    common.serve(app)

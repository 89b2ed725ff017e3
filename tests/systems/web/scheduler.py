"""Flask with APScheduler on a loop of its own thread. SCENARIO_SCHEDULER=ended: that thread is over, and a request waits for a job."""
import asyncio
import os
import threading
import time

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
scheduler = AsyncIOScheduler(event_loop=LOOP)
ENDED = os.environ.get("SCENARIO_SCHEDULER") == "ended"


async def tick():
    return "ticked"


async def begin():
    scheduler.start()
    scheduler.add_job(tick, "interval", seconds=600)


def run():
    LOOP.run_until_complete(begin())
    if not ENDED:
        LOOP.run_forever()


async def report():
    return "reported\n"


@app.get("/report")
def report_view():
    scheduler.add_job(tick)
    future = asyncio.run_coroutine_threadsafe(report(), LOOP)
    common.stuck()
    return future.result()  # <- guilty


@app.get("/add")
def add():
    scheduler.add_job(tick)
    return "added\n"


if __name__ == "__main__":
    thread = threading.Thread(target=run, name="scheduler", daemon=True)
    thread.start()
    if ENDED:
        thread.join()
    common.serve(app)

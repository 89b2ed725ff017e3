"""create_task() on another thread's loop: it works for a busy loop and never starts on an idle one."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def compute(done):
    done.set()


@app.get("/compute")
def compute_view():
    done = threading.Event()
    task = LOOP.create_task(compute(done))
    common.never_started(compute, task=True)
    common.waiting()
    done.wait()
    return "%r\n" % task


@app.get("/warm")
def warm():
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), LOOP).result(timeout=10)
    return "warm\n"


if __name__ == "__main__":
    common.serve(app)

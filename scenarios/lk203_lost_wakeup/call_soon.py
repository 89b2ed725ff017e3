"""call_soon() from a request thread: the callback is queued, and nobody wakes the sleeping loop."""
import asyncio
import concurrent.futures
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


def deliver(answer):
    answer.set_result("delivered\n")


@app.get("/deliver")
def deliver_view():
    answer = concurrent.futures.Future()
    LOOP.call_soon(deliver, answer)
    common.never_started(deliver)
    common.waiting()
    return answer.result()


@app.get("/warm")
def warm():
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), LOOP).result(timeout=10)
    return "warm\n"


if __name__ == "__main__":
    common.serve(app)

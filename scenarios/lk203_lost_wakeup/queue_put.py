"""A request thread puts an item into an asyncio.Queue of an idle loop: the consumer is scheduled, and nobody wakes the loop.

SCENARIO_LOOP=uvloop: the loop is uvloop's.
"""
import asyncio
import concurrent.futures
import os
import threading

from flask import Flask

import common

app = Flask(__name__)
if os.environ.get("SCENARIO_LOOP") == "uvloop":
    import uvloop
    LOOP = uvloop.new_event_loop()
else:
    LOOP = asyncio.new_event_loop()
ITEMS = None


async def consume():
    global ITEMS
    ITEMS = asyncio.Queue()
    common.say("consuming")
    while True:
        common.suspended()
        answer = await ITEMS.get()  # <- guilty
        answer.set_result("consumed\n")


def run():
    asyncio.set_event_loop(LOOP)
    LOOP.run_until_complete(consume())


threading.Thread(target=run, name="consumer", daemon=True).start()


@app.get("/put")
def put():
    answer = concurrent.futures.Future()
    ITEMS.put_nowait(answer)
    common.waiting()
    return answer.result()


if __name__ == "__main__":
    common.serve(app)

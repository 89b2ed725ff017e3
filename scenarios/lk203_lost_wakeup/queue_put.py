"""A request thread puts an item into an asyncio.Queue of an idle loop: the consumer is scheduled, and nobody wakes the loop."""
import asyncio
import concurrent.futures
import threading

from flask import Flask

import common

app = Flask(__name__)
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

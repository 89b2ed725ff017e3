"""call_soon() from another thread, but the loop has a timer that wakes it ten times a second: late, and not lost."""
import asyncio
import concurrent.futures
import threading

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()


async def beat():
    while True:
        await asyncio.sleep(0.1)


def run():
    asyncio.set_event_loop(LOOP)
    LOOP.run_until_complete(beat())


threading.Thread(target=run, name="bg-loop", daemon=True).start()


@app.get("/deliver")
def deliver():
    answer = concurrent.futures.Future()
    LOOP.call_soon(answer.set_result, "delivered\n")
    return answer.result()


if __name__ == "__main__":
    common.serve(app)

"""The same delivery through call_soon_threadsafe, which wakes the loop."""
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
    LOOP.call_soon_threadsafe(deliver, answer)
    return answer.result(timeout=10)


if __name__ == "__main__":
    common.serve(app)

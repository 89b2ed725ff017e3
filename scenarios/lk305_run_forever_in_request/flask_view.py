"""A view starts run_forever(): its request never returns."""
import asyncio

from flask import Flask

import common

app = Flask(__name__)
MESSAGES = asyncio.Queue()


async def listen():
    while True:
        await MESSAGES.get()


@app.get("/listen")
def start_listening():
    loop = asyncio.new_event_loop()
    loop.create_task(listen())
    common.stuck()
    loop.run_forever()  # <- guilty
    return "listening\n"


if __name__ == "__main__":
    common.serve(app)

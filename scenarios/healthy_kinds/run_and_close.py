"""Worker threads that make, run and close a loop again and again (asyncio.run), beside requests: nothing is left behind."""
import asyncio
import threading
import time

from flask import Flask

import common

app = Flask(__name__)


async def sweep():
    await asyncio.gather(asyncio.sleep(0.02), asyncio.sleep(0.05))


def sweep_again_and_again():
    while True:
        asyncio.run(sweep())
        time.sleep(0.01)


for number in range(2):
    threading.Thread(target=sweep_again_and_again, name="sweeper-%d" % number, daemon=True).start()


@app.get("/hello")
def hello():
    return "hello\n"


if __name__ == "__main__":
    common.serve(app)

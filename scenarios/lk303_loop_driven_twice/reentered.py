"""A loop class without asyncio's check is run again inside of its own callback: its callbacks still run, on a growing stack."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)


class ReentrantLoop(asyncio.SelectorEventLoop):
    def _check_running(self):
        pass


LOOP = ReentrantLoop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()


async def approval():
    await asyncio.sleep(120)
    return "approved\n"


def ask():
    asyncio._set_running_loop(None)
    common.stuck()
    return LOOP.run_until_complete(approval())  # <- guilty


async def order():
    return ask()


@app.get("/order")
def order_view():
    future = asyncio.run_coroutine_threadsafe(order(), LOOP)
    common.waiting()
    return future.result(timeout=100)


if __name__ == "__main__":
    common.serve(app)

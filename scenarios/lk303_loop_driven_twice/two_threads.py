"""The main thread's loop object is fetched in views, which drive it too: its class was taught not to complain."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)


class SharedLoop(asyncio.SelectorEventLoop):
    """So that `This event loop is already running` does not come."""

    def _check_running(self):
        pass


LOOP = SharedLoop()


async def fetch():
    await asyncio.sleep(120)
    return "fetched\n"


async def heartbeat():
    while True:
        await asyncio.sleep(60)


def run_heartbeat():
    common.stuck("heartbeat")
    LOOP.run_until_complete(heartbeat())  # <- heartbeat


@app.get("/fetch")
def fetch_view():
    common.stuck()
    return LOOP.run_until_complete(fetch())  # <- guilty


if __name__ == "__main__":
    threading.Thread(target=run_heartbeat, name="heartbeat", daemon=True).start()
    common.serve(app)

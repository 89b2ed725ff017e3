"""An asyncio.Lock used on two loops: the one that waits for it would not be woken by its release."""
import asyncio
import threading

from flask import Flask

import common

app = Flask(__name__)
LOCK = asyncio.Lock()


def start_loop(name):
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=name, daemon=True).start()
    return loop


IMPORTS, EXPORTS = start_loop("imports"), start_loop("exports")


async def import_all():
    async with LOCK:
        common.say("locked")
        await asyncio.sleep(3600)


async def export_all():
    common.suspended()
    async with LOCK:  # <- guilty
        return "done\n"


@app.get("/import")
def import_view():
    asyncio.run_coroutine_threadsafe(import_all(), IMPORTS)
    return "started\n"


@app.get("/export")
def export_view():
    asyncio.run_coroutine_threadsafe(export_all(), EXPORTS)
    return "started\n"


if __name__ == "__main__":
    common.serve(app)

"""A service's worker thread runs its uvloop only while a batch lasts; what the batch left behind never goes on."""
import asyncio
import threading

import uvloop

import common

LOOP = uvloop.new_event_loop()
LEFT = []


async def upload():
    common.suspended()
    await asyncio.sleep(0.2)  # <- guilty


async def batch():
    LEFT.append(asyncio.ensure_future(upload()))
    await asyncio.sleep(0.05)


def work():
    LOOP.run_until_complete(batch())
    common.say("batch done")
    threading.Event().wait()


if __name__ == "__main__":
    threading.Thread(target=work, name="worker", daemon=True).start()
    common.serve_plain({})

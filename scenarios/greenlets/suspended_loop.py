"""A loop runs in a greenlet of its own and is suspended while the main greenlet goes about its business and sleeps.

The way of Playwright's synchronous interface: the user's code resumes the loop when it wants something of it.
"""
import asyncio
import threading

import greenlet

import common

LOOP = asyncio.new_event_loop()
MAIN = greenlet.getcurrent()


async def listen():
    while True:
        await asyncio.sleep(0.05)


def drive():
    LOOP.create_task(listen())
    LOOP.call_later(0.5, MAIN.switch)
    LOOP.run_forever()


if __name__ == "__main__":
    fiber = greenlet.greenlet(drive)
    fiber.switch()
    common.service()
    threading.Event().wait(600)

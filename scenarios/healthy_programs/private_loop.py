"""A thread runs one coroutine on a loop of its own, which waits for an event between two beats: nobody else is on that loop."""
import asyncio
import signal
import threading

import common

STOP = threading.Event()


async def beat():
    while not STOP.wait(30):
        print("beat")


if __name__ == "__main__":
    threading.Thread(target=lambda: asyncio.run(beat()), name="heartbeat", daemon=True).start()
    common.service()
    signal.pause()

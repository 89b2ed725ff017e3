"""A terminal's keys are read in the default executor; main() cancels the read and returns, and asyncio.run() waits for it.

SCENARIO_READER: "timer" (the call ends by itself).
"""
import asyncio
import os
import queue
import threading
import time

import common

HOW = os.environ.get("SCENARIO_READER", "")
keys = queue.Queue()
reads = threading.Event()


def read_key():
    if HOW == "timer":
        reads.set()
        time.sleep(600)
        return None
    common.stuck("read")
    reads.set()
    return keys.get()  # <- read


async def main():
    key = asyncio.get_running_loop().run_in_executor(None, read_key)
    while not reads.is_set():
        await asyncio.sleep(0.01)
    key.cancel()


if __name__ == "__main__":
    common.service()
    if not HOW:
        common.stuck("run")
    asyncio.run(main())  # <- run

"""A multiprocessing child uses the background loop that it inherited: its thread exists only in the parent."""
import asyncio
import multiprocessing
import threading

import common

LOOP = asyncio.new_event_loop()


async def lookup():
    return 1


def child():
    future = asyncio.run_coroutine_threadsafe(lookup(), LOOP)
    common.stuck()
    future.result()  # <- guilty


if __name__ == "__main__":
    threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
    asyncio.run_coroutine_threadsafe(lookup(), LOOP).result()
    process = multiprocessing.get_context("fork").Process(target=child, daemon=True)
    process.start()
    common.serve_plain({})

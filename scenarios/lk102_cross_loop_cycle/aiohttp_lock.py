"""The aiohttp loop waits for a job on a second loop with a lock in its hands, which that loop's thread wants."""
import asyncio
import threading

from aiohttp import web

import common

LOCK = threading.Lock()
JOBS = asyncio.new_event_loop()
threading.Thread(target=JOBS.run_forever, name="jobs-loop", daemon=True).start()


async def job():
    common.stuck("guilty-job")
    with LOCK:  # <- guilty-job
        return "done\n"


async def start(request):
    with LOCK:
        future = asyncio.run_coroutine_threadsafe(job(), JOBS)
        common.stuck("guilty-start")
        return web.Response(text=future.result())  # <- guilty-start


if __name__ == "__main__":
    common.serve_aiohttp({"/start": start})

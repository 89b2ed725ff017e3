"""The aiohttp loop blocks on a coroutine of a second loop, which awaits (blocking nothing) a coroutine of the first."""
import asyncio
import threading

from aiohttp import web

import common

JOBS = asyncio.new_event_loop()
threading.Thread(target=JOBS.run_forever, name="jobs-loop", daemon=True).start()


async def session(name):
    return "session of %s\n" % name


async def job(main_loop):
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(session("ann"), main_loop))


async def start(request):
    future = asyncio.run_coroutine_threadsafe(job(asyncio.get_running_loop()), JOBS)
    common.stuck()
    return web.Response(text=future.result())  # <- guilty


if __name__ == "__main__":
    common.serve_aiohttp({"/start": start})

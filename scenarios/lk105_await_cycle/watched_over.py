"""Somebody who does not wait for two jobs that await each other has one of them at hand, and may give it up."""
import asyncio
import threading
import time

from aiohttp import web

import common


class Patience:
    def __init__(self, loop, job):
        self.loop = loop
        self.job = job

    def ends(self):
        self.loop.call_soon_threadsafe(self.job.cancel)


async def pull(jobs):
    await asyncio.sleep(0)
    common.suspended("guilty-pull")
    await asyncio.shield(jobs["push"])  # <- guilty-pull


async def push(jobs):
    await asyncio.sleep(0)
    common.suspended("guilty-push")
    await jobs["pull"]  # <- guilty-push


def thread(loop, job):
    time.sleep(600)
    loop.call_soon_threadsafe(job.cancel)


async def task(job):
    await asyncio.sleep(600)
    job.cancel()


async def sync(request):
    way = request.match_info["way"]
    loop = asyncio.get_running_loop()
    jobs = {}
    jobs["pull"] = asyncio.create_task(pull(jobs))
    jobs["push"] = asyncio.create_task(push(jobs))
    if way == "thread":
        threading.Thread(target=thread, args=(loop, jobs["pull"]), daemon=True).start()
    elif way == "timer":
        timer = threading.Timer(600, Patience(loop, jobs["pull"]).ends)
        timer.daemon = True
        timer.start()
    else:
        jobs["watch"] = asyncio.create_task(task(jobs["pull"]))
    await asyncio.wait([jobs["pull"], jobs["push"]])
    return web.Response(text="given up\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/sync/{way}": sync})

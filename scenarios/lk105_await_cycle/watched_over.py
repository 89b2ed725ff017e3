"""Somebody who does not wait for two jobs that await each other has one of them at hand, and may give it up."""
import asyncio
import contextlib
import functools
import signal
import socket
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


class Desk:
    """Gives its job up when it is closed."""

    def __init__(self, job):
        self.job = job

    async def run(self):
        await asyncio.sleep(600)
        self.close()

    def close(self):
        self.job.cancel()


@contextlib.asynccontextmanager
async def in_scope(job):
    try:
        yield
    finally:
        job.cancel()


async def scope(job):
    async with in_scope(job):
        await asyncio.sleep(600)


class Link(asyncio.Protocol):
    def __init__(self, job):
        self.job = job

    def connection_lost(self, exc):
        self.job.cancel()


ENDS = []  # of sockets that nobody closes


async def watch_by(way, jobs, loop):
    """Registers or starts what may give the job up."""
    job = jobs["pull"]
    if way == "done_callback":
        jobs["watch"] = asyncio.create_task(asyncio.sleep(600))
        jobs["watch"].add_done_callback(lambda _: job.cancel())
    elif way == "reader":
        ENDS.extend(socket.socketpair())
        loop.add_reader(ENDS[0], job.cancel)
    elif way == "connection":
        ENDS.extend(socket.socketpair())
        await loop.create_connection(lambda: Link(job), sock=ENDS[0])
    elif way == "signal":
        signal.signal(signal.SIGUSR1, lambda *_: loop.call_soon_threadsafe(job.cancel))
    elif way == "pool":
        loop.run_in_executor(None, time.sleep, 600).add_done_callback(functools.partial(task_done, job))
    elif way == "method":
        jobs["watch"] = asyncio.create_task(Desk(job).run())
    elif way == "scope":
        jobs["watch"] = asyncio.create_task(scope(job))


def task_done(job, _):
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
    elif way == "task":
        jobs["watch"] = asyncio.create_task(task(jobs["pull"]))
    else:
        await watch_by(way, jobs, loop)
    await asyncio.wait([jobs["pull"], jobs["push"]])
    return web.Response(text="given up\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/sync/{way}": sync})

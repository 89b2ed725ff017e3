"""Two jobs of a sync wait for each other until a timer of their loop gives one of them up: slow, and over in a minute."""
import asyncio
import functools

import anyio
from aiohttp import web

import common

LIMIT = 60


class Patience:
    """Gives a job up when it is called."""

    def __init__(self, job):
        self.job = job

    def ends(self):
        self.job.cancel()


class Shift:
    """Has the one at hand that gives the job up."""

    def __init__(self, patience):
        self.patience = patience

    def over(self):
        self.patience.ends()


async def pull(jobs):
    await asyncio.sleep(0)
    common.suspended("guilty-pull")
    await asyncio.shield(jobs["push"])  # <- guilty-pull


async def pull_for_a_while(jobs):
    await asyncio.sleep(0)
    with anyio.move_on_after(LIMIT):
        common.suspended("guilty-limited")
        await asyncio.wait([jobs["push"]])  # <- guilty-limited


async def push(jobs):
    await asyncio.sleep(0)
    common.suspended("guilty-push")
    await jobs["pull"]  # <- guilty-push


def by_lambda(job):
    return lambda: job.cancel()


TIMERS = {
    "lambda": by_lambda,
    "far_method": lambda job: Shift(Patience(job)).over,
    "partial": lambda job: functools.partial(job.cancel),
    "cancel": lambda job: job.cancel,
}


async def sync(request):
    way = request.match_info["way"]
    jobs = {}
    jobs["pull"] = asyncio.create_task((pull_for_a_while if way == "scope" else pull)(jobs))
    jobs["push"] = asyncio.create_task(push(jobs))
    if way in TIMERS:
        asyncio.get_running_loop().call_later(LIMIT, TIMERS[way](jobs["pull"]))
    await asyncio.wait(jobs.values())
    return web.Response(text="given up\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/sync/{way}": sync})

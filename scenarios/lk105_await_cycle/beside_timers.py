"""Two jobs wait for each other for good, while timers and callbacks go off that have nothing to do with them, or that cannot
end them."""
import asyncio
import signal
import socket

from aiohttp import web

import common


ENDS = []  # of sockets that nobody closes
RUNNING = set()


class Meter:
    """Counts, and looks at another task now and then."""

    def __init__(self, loop, task):
        self.loop = loop
        self.task = task
        self.ticks = 0

    def tick(self):
        self.ticks += 1
        self.loop.call_later(0.5, self.tick)

    def drop(self):
        self.task.cancel()


async def pull(jobs):
    await asyncio.sleep(0)
    common.suspended("guilty-pull")
    await asyncio.shield(jobs["push"])  # <- guilty-pull


async def pull_direct(jobs):
    await asyncio.sleep(0)
    common.suspended("guilty-direct")
    await jobs["push"]  # <- guilty-direct


async def push(jobs):
    await asyncio.sleep(0)
    common.suspended("guilty-push")
    await jobs["pull"]  # <- guilty-push


async def beat():
    while True:
        await asyncio.sleep(0.2)


async def sync(request):
    way = request.match_info["way"]
    loop = asyncio.get_running_loop()
    jobs = {}
    jobs["pull"] = asyncio.create_task((pull_direct if way == "direct" else pull)(jobs))
    jobs["push"] = asyncio.create_task(push(jobs))
    if way == "direct":  # a cancelled task cancels what it awaits before anything else: that runs round and round
        loop.call_later(60, jobs["pull"].cancel)
    else:
        pulse = asyncio.create_task(beat())
        meter = Meter(loop, pulse)
        loop.call_later(0.5, meter.tick)
        loop.call_later(60, meter.drop)
        loop.call_later(60, lambda: pulse.cancel())
        pulse.add_done_callback(lambda _: meter.drop())
        RUNNING.update(jobs.values(), [pulse])
        for task in RUNNING:  # as asyncio's documentation has it: takes it out, and does nothing to the others
            task.add_done_callback(RUNNING.discard)
        ENDS.extend(socket.socketpair())
        loop.add_reader(ENDS[0], meter.drop)
        loop.add_signal_handler(signal.SIGUSR1, pulse.cancel)
        # One of the ring's own callbacks: it comes too late to end it.
        jobs["push"].add_done_callback(lambda _: jobs["pull"].cancel())
    await asyncio.wait(jobs.values())
    return web.Response(text="done\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/sync/{way}": sync})

"""Requests that are tasks wait for an event that nobody sets, for a queue that nobody reads; and beside them for what somebody may end."""
import asyncio

from aiohttp import web

import common

JOBS = []


class Board:
    """A long poll: whoever posts a notice wakes all that wait for one."""

    def __init__(self):
        self.changed = None

    async def next_notice(self):
        self.changed = self.changed or asyncio.Event()
        await self.changed.wait()

    def post(self):
        self.changed.set()


BOARD = Board()


async def approval(request):
    approved = asyncio.Event()
    common.suspended("guilty-approval")
    await approved.wait()  # <- guilty-approval
    return web.Response(text="approved\n")


async def printed(request):
    pages = asyncio.Queue(maxsize=1)
    pages.put_nowait("first")
    common.suspended("guilty-printed")
    await pages.put("second")  # <- guilty-printed
    return web.Response(text="printed\n")


async def notices(request):
    common.suspended("notices")
    await BOARD.next_notice()  # <- notices
    return web.Response(text="news\n")


async def post(request):
    BOARD.post()
    return web.Response(text="posted\n")


async def stamp(page, stamped):
    if page == 2:
        common.suspended("guilty-parts")
        await stamped.wait()  # <- guilty-parts
    return page


async def parts(request):
    """All have the event at hand; who made it waits for the one that waits for it."""
    stamped = asyncio.Event()
    await asyncio.gather(*(stamp(page, stamped) for page in range(3)))
    return web.Response(text="stamped\n")


async def later(request):
    """A task that sleeps will set it."""
    approved = asyncio.Event()

    async def approve():
        await asyncio.sleep(3600)
        approved.set()

    JOBS.append(asyncio.ensure_future(approve()))
    common.suspended("later")
    await approved.wait()  # <- later
    return web.Response(text="approved\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/approval": approval, "/printed": printed, "/notices": notices, "/post": post, "/later": later, "/parts": parts})

"""Loading bays that are lent: a pool of the program's own around an asyncio.Queue, with names of its own, and aiohttp's connector."""
import asyncio

import aiohttp
from aiohttp import web

import common

BAYS = 2


class Yard:
    """Lends its bays; nothing in it says who has one."""

    def __init__(self, bays):
        self.free = asyncio.LifoQueue()
        for number in range(bays):
            self.free.put_nowait(number)

    async def bring_in(self):
        common.suspended("guilty-bay")
        return await self.free.get()  # <- guilty-bay

    async def send_off(self, bay):
        await self.free.put(bay)

    def parked(self):
        return Parked(self)


class Parked:
    def __init__(self, yard):
        self.yard = yard

    async def __aenter__(self):
        self.bay = await self.yard.bring_in()
        return self.bay

    async def __aexit__(self, *_):
        await self.yard.send_off(self.bay)


YARDS, JOBS, INSIDE, FULL = {}, [], {}, {}


async def all_in(kind):
    """Goes on when as many lorries are in as must be."""
    INSIDE[kind] = INSIDE.get(kind, 0) + 1
    if INSIDE[kind] == BAYS:
        FULL[kind].set()
    await FULL[kind].wait()


async def overnight(yard):
    """Another lorry, which leaves when its time has come."""
    bay = await yard.bring_in()
    try:
        await asyncio.sleep(3600)
    finally:
        await yard.send_off(bay)


async def refill(yard):
    while True:
        await asyncio.sleep(3600)
        await yard.send_off("another")


async def yard_of(kind):
    if kind not in YARDS:
        FULL[kind] = asyncio.Event()
        YARDS[kind] = Yard(BAYS + (kind == "third_leaves"))
        if kind == "third_leaves":
            JOBS.append(asyncio.ensure_future(overnight(YARDS[kind])))
            await asyncio.sleep(0)
        if kind == "refilled":
            JOBS.append(asyncio.ensure_future(refill(YARDS[kind])))
    return YARDS[kind]


async def unload(request):
    """With the lorry in its bay a second one is wanted, for what is to be reloaded."""
    kind = request.match_info["kind"]
    yard = await yard_of(kind)
    async with yard.parked():
        await all_in(kind)
        bay = await yard.bring_in()
        try:
            return web.Response(text="%s\n" % bay)
        finally:
            await yard.send_off(bay)


async def unload_once(request):
    async with (await yard_of("flat")).parked():
        await asyncio.sleep(0.01)
    return web.Response(text="unloaded\n")


async def slow(request):
    """Begins to answer, and goes on later."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    await answer.write(b"begun")
    await asyncio.sleep(3600)
    return answer


async def relay(request):
    """An answer is being read while a second one is asked for over the same two connections."""
    if "session" not in YARDS:
        FULL["relay"] = asyncio.Event()
        YARDS["session"] = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=BAYS), timeout=aiohttp.ClientTimeout(total=None, sock_connect=None))
    url = "http://%s:%d/slow" % request.transport.get_extra_info("sockname")
    async with YARDS["session"].get(url) as first:
        await all_in("relay")
        common.suspended("guilty-relay")
        async with YARDS["session"].get(url) as second:  # <- guilty-relay
            return web.Response(text="%d %d\n" % (first.status, second.status))


if __name__ == "__main__":
    common.serve_aiohttp({"/unload/{kind}": unload, "/flat": unload_once, "/slow": slow, "/relay": relay})

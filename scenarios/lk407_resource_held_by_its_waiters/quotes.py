"""Baskets of prices: each basket takes a slot of a semaphore and awaits prices that each want a slot of the same one."""
import asyncio
import contextlib

from aiohttp import web

import common

AT_ONCE = 2


class Slots:
    """A semaphore behind an object of its own."""

    def __init__(self, semaphore):
        self.semaphore = semaphore

    async def __aenter__(self):
        await self.semaphore.acquire()

    async def __aexit__(self, *_):
        self.semaphore.release()


@contextlib.asynccontextmanager
async def by_hand(semaphore):
    await semaphore.acquire()
    try:
        yield
    finally:
        semaphore.release()


KINDS = {
    "plain": lambda: asyncio.Semaphore(AT_ONCE),
    "bounded": lambda: asyncio.BoundedSemaphore(AT_ONCE),
    "object": lambda: Slots(asyncio.Semaphore(AT_ONCE)),
    "timed": lambda: asyncio.BoundedSemaphore(AT_ONCE),
    "third_goes_on": lambda: asyncio.Semaphore(AT_ONCE + 1),
    "unit_lent": lambda: asyncio.Semaphore(AT_ONCE + 1),
    "limited_rate": lambda: asyncio.Semaphore(AT_ONCE + 1),
}
SLOTS, INSIDE, FULL = {}, {}, {}


async def price(slots):
    common.suspended("guilty-price")
    async with slots:  # <- guilty-price
        return 1


async def price_in_time(slots):
    async with asyncio.timeout(3600):
        return await price(slots)


async def all_in(kind):
    """Goes on when as many baskets are in as must be."""
    INSIDE[kind] = INSIDE.get(kind, 0) + 1
    if INSIDE[kind] == AT_ONCE:
        FULL[kind].set()
    await FULL[kind].wait()


async def lend(slots):
    """Somebody else who has a unit: a slow reader, a job in the background, a rate limit."""
    async with slots:
        await asyncio.sleep(3600)


async def lend_to_job(slots, jobs=[]):
    await slots.acquire()
    job = asyncio.ensure_future(asyncio.sleep(3600))
    job.add_done_callback(lambda _: slots.release())
    jobs.append(job)


async def lend_for_a_while(slots):
    await slots.acquire()
    asyncio.get_running_loop().call_later(3600, slots.release)


async def slots_of(kind):
    if kind not in SLOTS:
        SLOTS[kind], FULL[kind] = KINDS[kind](), asyncio.Event()
        if kind == "third_goes_on":
            FULL["third"] = asyncio.ensure_future(lend(SLOTS[kind]))
        if kind == "unit_lent":
            await lend_to_job(SLOTS[kind])
        if kind == "limited_rate":
            await lend_for_a_while(SLOTS[kind])
    return SLOTS[kind]


async def basket(request):
    kind = request.match_info["kind"]
    slots = await slots_of(kind)
    one = price_in_time if kind == "timed" else price
    async with slots:
        await all_in(kind)
        common.suspended("guilty-basket")
        prices = await asyncio.gather(one(slots), one(slots))  # <- guilty-basket
    return web.Response(text="%d\n" % sum(prices))


async def bid(slots):
    common.suspended("guilty-bid")
    await slots.acquire()  # <- guilty-bid
    try:
        return 1
    finally:
        slots.release()


async def basket_by_hand(request):
    slots = SLOTS.setdefault("by hand", asyncio.Semaphore(AT_ONCE))
    FULL.setdefault("by hand", asyncio.Event())
    async with by_hand(slots):
        await all_in("by hand")
        await bid(slots)
    return web.Response(text="bid\n")


async def fetch(slots):
    async with slots:
        await asyncio.sleep(0.02)
        return 1


async def flat(request):
    """The same work, and only the innermost call takes a slot."""
    slots = SLOTS.setdefault("flat", asyncio.Semaphore(AT_ONCE))
    return web.Response(text="%d\n" % sum(await asyncio.gather(*(fetch(slots) for _ in range(6)))))


if __name__ == "__main__":
    common.serve_aiohttp({"/basket/{kind}": basket, "/by_hand": basket_by_hand, "/flat": flat})

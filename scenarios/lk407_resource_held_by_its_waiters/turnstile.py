"""A lock for coroutines of the program's own, whose acquire() returns a future: taken twice by one request; and beside it what only looks so."""
import asyncio
import collections
import contextlib

from aiohttp import web

import common


class Turnstile:
    """Lets in so many at a time."""

    def __init__(self, places=1):
        self.places = places
        self.waiters = collections.deque()

    def acquire(self):
        turn = asyncio.get_event_loop().create_future()
        if self.places:
            self.places -= 1
            turn.set_result(self)
        else:
            self.waiters.append(turn)
        return turn

    def release(self):
        if self.waiters:
            self.waiters.popleft().set_result(self)
        else:
            self.places += 1

    @contextlib.contextmanager
    def passed(self):
        try:
            yield
        finally:
            self.release()

    async def __aenter__(self):
        await self.acquire()  # <- guilty-entered

    async def __aexit__(self, *_):
        self.release()


class Park:
    """Is entered to be open, whoever is let in or not."""

    def __init__(self):
        self.gate = Turnstile(0)

    def acquire(self):
        return self.gate.acquire()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.close()

    def close(self):
        while self.gate.waiters:
            self.gate.release()


GATE, WIDE, OWN = Turnstile(), Turnstile(2), Turnstile()
PARK = Park()


async def count(turnstile):
    common.suspended_in(Turnstile.__aenter__, "guilty-entered")
    async with turnstile:
        return "counted\n"


async def entered(request):
    async with GATE:
        return web.Response(text=await count(GATE))


async def asked(request):
    async with WIDE:
        await asyncio.sleep(0.2)
        common.suspended("guilty-asked")
        await WIDE.acquire()  # <- guilty-asked
        with WIDE.passed():
            return web.Response(text="passed\n")


async def slow(request):
    async with OWN:
        common.say("holds")
        await asyncio.sleep(3600)


async def in_turn(request):
    """Another request is inside, and comes out when its timer is up."""
    common.suspended("in_turn")
    async with OWN:  # <- in_turn
        return web.Response(text="in\n")


async def visit(request):
    """Nobody has taken anything of a park that is merely open; another request lets in."""
    async with PARK:
        common.suspended("visit")
        await PARK.acquire()  # <- visit
        return web.Response(text="in\n")


async def let_in(request):
    PARK.gate.release()
    return web.Response(text="let in\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/" + view.__name__: view for view in (entered, asked, slow, in_turn, visit, let_in)})

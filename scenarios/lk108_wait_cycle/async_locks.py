"""Two handlers take two asyncio.Locks in opposite orders: the loop is free, the two tasks never go on."""
import asyncio

from aiohttp import web

import common

LOCKS = {}


async def both(first, second, held, other_held):
    async with first:
        held.set()
        await other_held.wait()
        common.suspended()
        async with second:  # <- guilty
            return web.Response(text="moved\n")


async def debit(request):
    return await both(LOCKS["a"], LOCKS["b"], LOCKS["a held"], LOCKS["b held"])


async def credit(request):
    return await both(LOCKS["b"], LOCKS["a"], LOCKS["b held"], LOCKS["a held"])


LOCKS.update({"a": asyncio.Lock(), "b": asyncio.Lock(), "a held": asyncio.Event(), "b held": asyncio.Event()})

if __name__ == "__main__":
    common.serve_aiohttp({"/debit": debit, "/credit": credit})

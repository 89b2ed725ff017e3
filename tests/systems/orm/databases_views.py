"""aiohttp's server with the package databases on asyncpg: a transaction, and a second connection that wants the same row."""
import asyncio

from aiohttp import web
from databases import Database

import common
import systems

database = Database(systems.postgres(), min_size=1, max_size=3)
other = Database(str(database.url), min_size=1, max_size=1)


async def connected():
    for one in (database, other):
        if not one.is_connected:
            await one.connect()


async def write_log(row):
    common.suspended()
    await other.execute("update stock set amount = 0 where id = :row", {"row": row})  # <- guilty


async def order(request):
    await connected()
    async with database.transaction():
        await database.execute("update stock set amount = amount - 1 where id = 1")
        await write_log(1)
    return web.Response(text="ordered\n")


async def once(request):
    await connected()
    async with database.transaction():
        await database.execute("update stock set amount = amount - 1 where id = 2")
        await database.execute("update stock set amount = 5 where id = 2")
    return web.Response(text="ordered\n")


async def timed(request):
    await connected()
    async with database.transaction():
        await database.execute("update stock set amount = amount - 1 where id = 3")
        common.say("started")
        await asyncio.wait_for(other.execute("update stock set amount = 0 where id = 3"), 600)
    return web.Response(text="ordered\n")


if __name__ == "__main__":
    common.serve_aiohttp({"/order": order, "/once": once, "/timed": timed})

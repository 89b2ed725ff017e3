"""Starlette on uvicorn with psycopg 3's async connections and pool."""
import asyncio

import psycopg
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import common
import systems

URL = systems.postgres()
pool = None


async def connections():
    global pool
    if pool is None:
        pool = AsyncConnectionPool(URL, min_size=1, max_size=1, timeout=600, open=False)
        await pool.open()
    return pool


async def write_log(row):
    async with await psycopg.AsyncConnection.connect(URL) as connection:
        common.suspended()
        await connection.execute("update stock set amount = 0 where id = %s", [row])  # <- guilty


async def order(request):
    async with await psycopg.AsyncConnection.connect(URL) as connection:
        await connection.execute("update stock set amount = amount - 1 where id = 1")
        await write_log(1)
    return PlainTextResponse("ordered\n")


async def timed(request):
    """The same with a timeout."""
    async with await psycopg.AsyncConnection.connect(URL) as connection, await psycopg.AsyncConnection.connect(URL) as other:
        await connection.execute("update stock set amount = amount - 1 where id = 2")
        common.say("started")
        async with asyncio.timeout(600):
            await other.execute("update stock set amount = 0 where id = 2")
    return PlainTextResponse("ordered\n")


async def once(request):
    async with (await connections()).connection() as connection:
        await connection.execute("update stock set amount = amount - 1 where id = 3")
        await connection.execute("update stock set amount = 5 where id = 3")
    return PlainTextResponse("ordered\n")


async def listen(request):
    """Waits for the next message of a channel; that may take for ever."""
    connection = await psycopg.AsyncConnection.connect(URL, autocommit=True)
    await connection.execute("listen news")
    common.say("listens")
    async for message in connection.notifies():
        return PlainTextResponse(message.payload)


async def ping(request):
    return PlainTextResponse("pong\n")


app = Starlette(routes=[Route("/" + view.__name__, view) for view in (order, timed, once, listen, ping)])

if __name__ == "__main__":
    common.serve_uvicorn(app)

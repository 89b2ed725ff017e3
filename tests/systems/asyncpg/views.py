"""Flask with coroutines that ask PostgreSQL through asyncpg: a view that waits for a row it has locked itself, and its twins."""
import asyncpg
from flask import Flask

import common
import systems

URL = systems.postgres()
app = Flask(__name__)


async def take(connection, row, timeout=None):
    await connection.execute("update stock set amount = amount - 1 where id = $1", row, timeout=timeout)


async def write_log(row):
    """By a connection of its own, so that it is there also when the order is not."""
    connection = await asyncpg.connect(URL)
    try:
        common.suspended()
        await connection.execute("update stock set amount = 0 where id = $1", row)  # <- guilty
    finally:
        await connection.close()


@app.route("/order")
async def order():
    connection = await asyncpg.connect(URL)
    async with connection.transaction():
        await take(connection, 1)
        await write_log(1)
    return "ordered\n"


@app.route("/timed")
async def timed():
    """The same with a timeout on what may wait for the lock."""
    connection, other = await asyncpg.connect(URL), await asyncpg.connect(URL)
    common.say("started")
    async with connection.transaction():
        await take(connection, 2)
        await take(other, 2, timeout=600)
    return "ordered\n"


@app.route("/after")
async def after():
    """Logs when the order is through."""
    connection = await asyncpg.connect(URL)
    async with connection.transaction():
        await take(connection, 3)
    await take(connection, 3)
    await connection.close()
    return "ordered\n"


if __name__ == "__main__":
    common.serve(app)

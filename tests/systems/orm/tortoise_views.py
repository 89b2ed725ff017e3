"""Quart on uvicorn with Tortoise's models: an order locks a row in a transaction, and logs by another connection."""
import asyncio

from quart import Quart
from tortoise import Tortoise, fields
from tortoise.models import Model
from tortoise.transactions import in_transaction

import common
import systems

URL = systems.postgres("asyncpg")
app = Quart(__name__)


class Stock(Model):
    id = fields.IntField(primary_key=True)
    amount = fields.IntField()

    class Meta:
        table = "stock"


@app.before_serving
async def connect():
    await Tortoise.init({"connections": {"default": URL, "log": URL}, "apps": {"shop": {"models": ["__main__"], "default_connection": "default"}}},
                        _enable_global_fallback=True)


async def write_log(row):
    await Stock.filter(id=row).using_db(Tortoise.get_connection("log")).update(amount=0)  # <- guilty


@app.get("/order")
async def order():
    async with in_transaction("default") as connection:
        await Stock.filter(id=1).using_db(connection).update(amount=4)
        common.suspended_in(write_log, "guilty")
        await write_log(1)
    return "ordered\n"


@app.get("/once")
async def once():
    async with in_transaction("default") as connection:
        await Stock.filter(id=2).using_db(connection).update(amount=4)
        await Stock.filter(id=2).using_db(connection).update(amount=5)
    return "ordered\n"


@app.get("/timed")
async def timed():
    async with in_transaction("default") as connection:
        await Stock.filter(id=3).using_db(connection).update(amount=4)
        common.say("started")
        async with asyncio.timeout(600):
            await write_log(3)
    return "ordered\n"


@app.get("/ping")
async def ping():
    return "pong\n"


if __name__ == "__main__":
    import socket
    import uvicorn
    listener = socket.create_server(("127.0.0.1", 0))
    common.say("listening", port=listener.getsockname()[1])
    uvicorn.Server(uvicorn.Config(app, log_level="error", loop="asyncio")).run(sockets=[listener])

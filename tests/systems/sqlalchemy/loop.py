"""Flask, and one background loop with SQLAlchemy's async engine on asyncpg: coroutines that keep a connection of the pool and ask for another."""
import asyncio
import os
import threading

from flask import Flask
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

import common
import systems

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
wait = os.environ.get("SCENARIO_WAIT")
engine = create_async_engine(systems.postgres("postgresql+asyncpg"), pool_size=1, max_overflow=1, pool_timeout=float(wait) if wait else None)
Session = async_sessionmaker(engine)
locked = asyncio.Event()


def run(coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, LOOP).result()


async def take(session, row):
    await session.execute(text("update stock set amount = amount - 1 where id = :row"), {"row": row})


async def write_log():
    async with Session() as session:
        common.suspended()
        await session.execute(text("insert into stock values (100, 0)"))  # <- guilty
        await session.commit()


async def order(row):
    async with Session() as session, Session() as prices:
        await take(session, row)
        await prices.execute(text("select amount from stock"))
        await write_log()
        await session.commit()


@app.get("/order/<int:row>")
def order_view(row):
    run(order(row))
    return "ordered\n"


async def order_at_once(row):
    async with Session() as session:
        await take(session, row)
        await session.execute(text("update stock set amount = 5 where id = :row"), {"row": row})
        await session.commit()


@app.get("/once/<int:row>")
def once(row):
    run(order_at_once(row))
    return "ordered\n"


async def keep(row):
    async with Session() as session:
        await take(session, row)
        common.say("kept")
        await asyncio.sleep(1000)


@app.get("/keep/<int:row>")
def keep_view(row):
    run(keep(row))
    return "kept\n"


@app.get("/late/<int:row>")
def late(row):
    common.say("waits")
    return once(row)


async def reserve(row):
    """Has the row until somebody else has written it."""
    async with Session() as session:
        await take(session, row)
        common.say("reserved")
        await locked.wait()
        await session.commit()


@app.get("/reserve/<int:row>")
def reserve_view(row):
    run(reserve(row))
    return "reserved\n"


async def write(row):
    async with Session() as session:
        common.suspended("write")
        await session.execute(text("update stock set amount = 0 where id = :row"), {"row": row})  # <- write
        await session.commit()
    locked.set()


@app.get("/write/<int:row>")
def write_view(row):
    run(write(row))
    return "written\n"


if __name__ == "__main__":
    threading.Thread(target=LOOP.run_forever, name="database", daemon=True).start()
    common.serve(app)

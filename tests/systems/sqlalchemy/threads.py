"""Flask with threads, SQLAlchemy's engine on psycopg: orders that keep a connection of the pool while they ask for another one."""
import threading
import time

from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

import common
import systems

app = Flask(__name__)
engine = create_engine(systems.postgres("postgresql+psycopg"), pool_size=2, max_overflow=0, pool_timeout=600)
both = threading.Barrier(2)


def write_log(row):
    with engine.begin() as connection:  # <- guilty
        connection.execute(text("insert into stock values (100 + :row, 0)"), {"row": row})


def order(row):
    with Session(engine) as session:
        session.execute(text("update stock set amount = amount - 1 where id = :row"), {"row": row})
        both.wait()
        common.stuck_in(write_log, "guilty")
        write_log(row)
        session.commit()
    return "ordered\n"


@app.get("/order/<int:row>")
def order_view(row):
    return order(row)


@app.get("/once/<int:row>")
def once(row):
    """Passes on what it has."""
    with Session(engine) as session:
        session.execute(text("update stock set amount = amount - 1 where id = :row"), {"row": row})
        session.execute(text("update stock set amount = 5 where id = :row"), {"row": row})
        session.commit()
    return "ordered\n"


@app.get("/report")
def report():
    """Keeps a connection for long, and does something."""
    with engine.connect() as connection:
        connection.execute(text("select 1"))
        common.say("reporting")
        time.sleep(1000)
    return "reported\n"


@app.get("/late/<int:row>")
def late(row):
    """Waits for one of those."""
    common.say("waits")
    return once(row)


if __name__ == "__main__":
    common.serve(app)

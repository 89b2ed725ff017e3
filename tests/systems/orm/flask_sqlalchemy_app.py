"""Flask-SQLAlchemy under gunicorn's threads: a view with the session's connection in its transaction asks for another one."""
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

import common
import systems

app = common.add_ping(Flask(__name__))
app.config["SQLALCHEMY_DATABASE_URI"] = systems.postgres("postgresql+psycopg2")
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 1, "max_overflow": 1, "pool_timeout": 600}
db = SQLAlchemy(app)


def take(row):
    db.session.execute(text("update stock set amount = amount - 1 where id = :row"), {"row": row})


def write_log(row):
    with db.engine.begin() as connection:
        common.stuck_in(write_log, "guilty")
        connection.execute(text("update stock set amount = 0 where id = :row"), {"row": row})  # <- guilty


@app.get("/order")
def order():
    take(1)
    write_log(1)
    db.session.commit()
    return "ordered\n"


def write_log_of_one():
    with db.engine.connect() as one, db.engine.connect() as another:  # <- pool
        one.execute(text("select 1"))
        another.execute(text("select 1"))


@app.get("/pool")
def pool():
    """Keeps the session's connection, and asks for two more."""
    take(2)
    common.stuck_in(write_log_of_one, "pool")
    write_log_of_one()
    return "ordered\n"


@app.get("/once/<int:row>")
def once(row):
    take(row)
    db.session.commit()
    return "ordered\n"

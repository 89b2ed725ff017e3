"""Flask with threads on psycopg 3 and its pool: rows that a request locks by one connection and asks for by another."""
import threading

import psycopg
from flask import Flask
from psycopg_pool import ConnectionPool

import common
import systems

URL = systems.postgres()
app = Flask(__name__)
pool = ConnectionPool(URL, min_size=2, max_size=2, timeout=600, open=True)
done = threading.Event()


def write_log(row):
    with psycopg.connect(URL) as connection:
        common.stuck_in(write_log, "guilty")
        connection.execute("update stock set amount = 0 where id = %s", [row])  # <- guilty


@app.get("/order")
def order():
    with psycopg.connect(URL) as connection:
        connection.execute("update stock set amount = amount - 1 where id = 1")
        write_log(1)
    return "ordered\n"


@app.get("/reserve")
def reserve():
    """Keeps the row until it was written."""
    with pool.connection() as connection:
        connection.execute("update stock set amount = amount - 1 where id = 2")
        common.waiting("reserved")
        done.wait()
    return "reserved\n"


@app.get("/write")
def write():
    with pool.connection() as connection:
        common.stuck_in(write, "write")
        connection.execute("update stock set amount = 0 where id = 2")  # <- write
    done.set()
    return "written\n"


@app.get("/timed")
def timed():
    """The server is told to give up."""
    with psycopg.connect(URL) as connection, psycopg.connect(URL, options="-c lock_timeout=1s") as other:
        connection.execute("update stock set amount = amount - 1 where id = 3")
        try:
            other.execute("update stock set amount = 0 where id = 3")
        except psycopg.errors.LockNotAvailable:
            return "not now\n"
    return "ordered\n"


@app.get("/once")
def once():
    with pool.connection() as connection:
        connection.execute("update stock set amount = amount - 1 where id = 4")
        connection.execute("update stock set amount = 5 where id = 4")
    return "ordered\n"


if __name__ == "__main__":
    common.serve(app)

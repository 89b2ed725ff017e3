"""Requests that wait in calls which poll: for a lock file, for a busy database.

/stale: the file of a process that was killed. /close: the request's own first transaction. Near misses: /stale_for_now is given up
after a while, /in_turn and /book do get what they wait for, one after the other.
"""
import os
import sqlite3
import sys
import tempfile
import time

from flask import Flask

import common

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "site-packages"))
import padlock  # noqa: E402

app = common.add_ping(Flask(__name__))
PLACE = tempfile.TemporaryDirectory()
STALE, TURNS, LEDGER, BOOK = (os.path.join(PLACE.name, name) for name in ("stale", "turns", "ledger", "book"))
open(STALE, "w").close()
with sqlite3.connect(BOOK) as base:
    base.execute("create table entries (number)")


def transaction(path):
    connection = sqlite3.connect(path, timeout=3600, isolation_level=None, check_same_thread=False)
    connection.execute("begin exclusive")
    return connection


@app.get("/stale")
def stale():
    common.waiting("polls")
    with padlock.Padlock(STALE):
        return "locked\n"


@app.get("/stale_for_now")
def stale_for_now():
    common.waiting("polls")
    with padlock.Padlock(STALE, timeout=600):
        return "locked\n"


@app.get("/in_turn")
def in_turn():
    common.waiting("polls")
    for _ in range(1000):
        with padlock.Padlock(TURNS):
            time.sleep(0.1)
    return "done\n"


@app.get("/close")
def close():
    ledger = transaction(LEDGER)
    common.waiting("polls")
    transaction(LEDGER)
    return str(ledger.total_changes)


@app.get("/book")
def book():
    common.waiting("polls")
    for number in range(1000):
        entry = transaction(BOOK)
        entry.execute("insert into entries values (?)", (number,))
        time.sleep(0.05)
        entry.execute("commit")
        entry.close()
        time.sleep(0.01)
    return "booked\n"


if __name__ == "__main__":
    common.serve(app)

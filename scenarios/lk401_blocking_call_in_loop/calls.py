"""A server with one background loop; each path makes another blocking call in a coroutine on it."""
import asyncio
import fcntl
import http.client
import os
import queue
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from flask import Flask

import common

app = Flask(__name__)
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="bg-loop", daemon=True).start()
FOLDER = tempfile.mkdtemp(prefix="loopknot-scenario-")
LATCH = threading.Lock()
ORDERS = queue.Queue()


def on_loop(function):
    async def run():
        return function()
    future = asyncio.run_coroutine_threadsafe(run(), LOOP)
    common.waiting()
    return future.result()


def take_order():
    common.stuck("queue")
    return ORDERS.get()  # <- queue


def latch():
    common.stuck("lock")
    with LATCH:  # <- lock
        return "ok\n"


def convert():
    common.stuck("child")
    return subprocess.run(["sleep", "3600"], check=True)  # <- child


def fetch():
    host, port = common.upstream()
    connection = http.client.HTTPConnection(host, port)
    connection.request("GET", "/")
    common.stuck("http")
    return connection.getresponse().read()  # <- http


def read_pipe():
    reading, _ = os.pipe()
    common.stuck("pipe")
    return os.read(reading, 10)  # <- pipe


def count_rows():
    other = sqlite3.connect(":memory:")
    database = sqlite3.connect(FOLDER + "/db", timeout=3600)
    common.computes(count_rows, "database")  # it sleeps and looks again, and so on
    database.execute("create table t (x)")  # <- database
    return str(other)


def lock_file():
    with open(FOLDER + "/lock", "w", encoding="ascii") as file:
        common.stuck("file")
        fcntl.flock(file, fcntl.LOCK_EX)  # <- file


def poll_device():
    """No call of it is long; the callback is."""
    common.computes(poll_device, "poll")
    while not os.path.exists(FOLDER + "/ready"):
        time.sleep(0.02)  # <- poll


CALLS = {"queue": take_order, "lock": latch, "child": convert, "http": fetch, "pipe": read_pipe, "database": count_rows,
         "file": lock_file, "poll": poll_device}


def hold_everything():
    """What the calls wait for is held by a thread that sleeps (lock) or by another process (file, database)."""
    ready = threading.Event()

    def holder():
        with LATCH:
            ready.set()
            time.sleep(3600)
    threading.Thread(target=holder, name="holder", daemon=True).start()
    ready.wait()
    # The other process lives in a session of its own: when the server's end of its input is gone, it tidies up and ends.
    code = ("import fcntl, shutil, sqlite3, sys\n"
            "file = open(sys.argv[1] + '/lock', 'w'); fcntl.flock(file, fcntl.LOCK_EX)\n"
            "db = sqlite3.connect(sys.argv[1] + '/db', isolation_level=None); db.execute('begin exclusive')\n"
            "print('held', flush=True); sys.stdin.read(); shutil.rmtree(sys.argv[1])\n")
    child = subprocess.Popen([sys.executable, "-c", code, FOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             start_new_session=True)
    child.stdout.readline()
    app.config["holder"] = child


@app.get("/call/<name>")
def call_view(name):
    return on_loop(CALLS[name])


@app.get("/version")
def version_view():
    return on_loop(lambda: "1.0\n")


if __name__ == "__main__":
    hold_everything()
    common.serve(app)

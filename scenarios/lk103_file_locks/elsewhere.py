"""A view locks a file that another process has locked: with flock, or with a lock of fcntl."""
import fcntl
import os
import subprocess
import sys
import tempfile

from flask import Flask

import common

app = Flask(__name__)
JOURNAL = tempfile.NamedTemporaryFile(prefix="scenario-")
HOLDER = """
import fcntl, os, sys
file = open(sys.argv[2], "r+")
getattr(fcntl, sys.argv[1])(file, fcntl.LOCK_EX)
os.write(1, b"locked")
sys.stdin.read()
"""
_holders = []


def hold(function):
    """Another process that locks the journal until its input ends."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, function, JOURNAL.name],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    _holders.append(holder)
    os.read(holder.stdout.fileno(), 6)
    return holder


@app.get("/append/flock")
def append_flock():
    hold("flock")
    with open(JOURNAL.name, "a", encoding="utf-8") as file:
        common.stuck("guilty-flock")
        fcntl.flock(file, fcntl.LOCK_EX)  # <- guilty-flock
    return "done\n"


@app.get("/append/lockf")
def append_lockf():
    hold("lockf")
    with open(JOURNAL.name, "a", encoding="utf-8") as file:
        common.stuck("guilty-lockf")
        fcntl.lockf(file, fcntl.LOCK_EX)  # <- guilty-lockf
    return "done\n"


@app.get("/append/released")
def append_released():
    """The holder gives it back shortly."""
    holder = hold("flock")
    with open(JOURNAL.name, "a", encoding="utf-8") as file:
        holder.stdin.close()
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("x")
    holder.wait()
    _holders.remove(holder)
    return "done\n"


if __name__ == "__main__":
    common.serve(app)

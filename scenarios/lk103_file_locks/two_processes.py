"""Two processes lock two files in opposite order; in a near miss a thread of the other one is at work, which may unlock.

SCENARIO_OTHER: ring, thread.
"""
import fcntl
import os
import subprocess
import sys
import tempfile

import common

OTHER = """
import fcntl, os, sys, threading, time
stock, orders = (open(name, "r+") for name in sys.argv[2:])
fcntl.flock(stock, fcntl.LOCK_EX)
if sys.argv[1] == "thread":
    threading.Thread(target=time.sleep, args=(3600,)).start()
os.write(1, b"locked")
sys.stdin.read(1)
fcntl.flock(orders, fcntl.LOCK_EX)
"""


def main():
    stock, orders = (tempfile.NamedTemporaryFile(prefix="scenario-") for _ in range(2))
    fcntl.flock(orders, fcntl.LOCK_EX)
    other = subprocess.Popen([sys.executable, "-c", OTHER, os.environ["SCENARIO_OTHER"], stock.name, orders.name],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    os.read(other.stdout.fileno(), 6)
    other.stdin.write(b"x")
    other.stdin.flush()
    common.service()
    common.stuck()
    fcntl.flock(stock, fcntl.LOCK_EX)  # <- guilty


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Reports that travel: fingerprints of the same hang elsewhere.

Last line: reports: N passed, N failed.
"""
import os
import subprocess
import sys
import tempfile

import lib
from lib import driver

TWO_LOOPS = '''
import asyncio, os, threading

def started(name):
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=name, daemon=True).start()
    return loop

a, b = started("loop-a"), started("loop-b")

async def price():
    return asyncio.run_coroutine_threadsafe(order(), a).result()

async def order():
    return asyncio.run_coroutine_threadsafe(price(), b).result()

future = asyncio.run_coroutine_threadsafe(order(), a)
os.write(1, b"x")
future.result()
'''


def hung(folder, source, name="shop.py"):
    """A process that runs the program and hangs in it."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    child = lib.Child([driver.PYTHON, path], stdout=subprocess.PIPE, cwd=folder)
    child.process.stdout.read(1)
    lib.until(lambda: all(driver.thread_state(child.pid, t) == "S" for t in driver.thread_ids(child.pid)), what="sleep")
    return child


# ---- fingerprints


def fingerprint(source, *folders):
    with tempfile.TemporaryDirectory() as top:
        folder = os.path.join(top, *folders)
        os.makedirs(folder, exist_ok=True)
        with hung(folder, source) as child:
            (report,) = lib.reports_of(lib.parse(lib.loopknot("--format", "json", child.pid)))
            (finding,) = report["findings"]
            text = lib.loopknot(child.pid).text
            assert finding["fingerprint"] in text, text[-600:]
            return finding["rule"], finding["fingerprint"]


def same_elsewhere():
    """In another run, another folder, after an edit of other lines; not in another function."""
    first = fingerprint(TWO_LOOPS)
    assert first[0] == "LK102", first
    edited = "# a comment\n\n\ndef helper():\n    pass\n" + TWO_LOOPS.replace("loop-a", "worker-1")
    assert fingerprint(edited, "srv", "checkout") == first
    assert fingerprint(TWO_LOOPS.replace("price()", "quote()")) != first
    return first[1]


def main():
    tally = lib.Tally("reports")
    tally.run("a fingerprint is the same elsewhere", same_elsewhere)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())

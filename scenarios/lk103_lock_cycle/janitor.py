"""Two views take two shelves crosswise; a janitor who sleeps will open all shelves, by a method of what has them in a table.

SCENARIO_JANITOR: "signal" (a signal's handler does so), "thread" (a thread of a class of its own), "main" (the main thread, behind what
it sleeps in), "timer" (a timer of a loop). The same is a deadlock with "counts" (he only looks at them, and gives back something else),
"opened" (main has opened them, before).
"""
import asyncio
import os
import signal
import threading
import time

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
READY = threading.Barrier(2)


class Shelves:
    def __init__(self):
        self.locks = {name: threading.Lock() for name in ("tea", "salt")}

    def open_all(self):
        for lock in self.locks.values():
            if lock.locked():
                lock.release()

    def on_signal(self, number, frame):
        self.open_all()

    def count(self):
        return sum(lock.locked() for lock in self.locks.values())


SHELVES = Shelves()
LADDERS = threading.Semaphore(2)


def open_later():
    time.sleep(600)
    SHELVES.open_all()


def count_later():
    while True:
        time.sleep(600)
        print(SHELVES.count())
        give_ladder_back()


def give_ladder_back():
    LADDERS.release()


class Janitor(threading.Thread):
    def run(self):
        time.sleep(600)
        self.open_them(SHELVES)

    def open_them(self, shelves):
        shelves.open_all()


async def open_by_timer():
    asyncio.get_running_loop().call_later(600, SHELVES.open_all)
    await asyncio.sleep(1200)


def serve(how):
    if how == "signal":
        signal.signal(signal.SIGUSR1, SHELVES.on_signal)
    if how == "opened":
        SHELVES.open_all()
    server = threading.Thread(target=common.serve, args=(app,), daemon=True)
    server.start()
    if how == "main":
        time.sleep(600)
        SHELVES.open_all()
    server.join()


@app.get("/tea")
def tea():
    with SHELVES.locks["tea"]:
        READY.wait()
        common.stuck("tea")
        with SHELVES.locks["salt"]:  # <- tea
            return "tea and salt\n"


@app.get("/salt")
def salt():
    with SHELVES.locks["salt"]:
        READY.wait()
        common.stuck("salt")
        with SHELVES.locks["tea"]:  # <- salt
            return "salt and tea\n"


WORK = {"sleeps": open_later, "counts": count_later, "timer": lambda: asyncio.run(open_by_timer())}

if __name__ == "__main__":
    how = os.environ.get("SCENARIO_JANITOR", "sleeps")
    if how in WORK:
        threading.Thread(target=WORK[how], daemon=True).start()
    if how == "thread":
        Janitor(daemon=True).start()
    serve(how)

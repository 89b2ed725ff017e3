"""Requests wait for an event, a slot, a tool, a lamp or the end of a queue, a bell, and whoever would have ended that has gone.

/print/0 fails in the printing thread, which ends; /photo/0 returns early and keeps the slot, /tool/0 the tool. /lamp/0
fails, and a library keeps the lamp.
"""
import os
import queue
import sys
import threading

from flask import Flask

import common

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "site-packages"))
import shelves  # noqa: E402

app = common.add_ping(Flask(__name__))
PAGES = queue.Queue()
DARKROOM = threading.BoundedSemaphore(1)
TOOLS = queue.Queue()
TOOLS.put("screwdriver")
LAMPS = shelves.Shelf("lamp")
threading.excepthook = lambda args: None


class Page:
    def __init__(self, copies):
        self.copies = copies
        self.printed = threading.Event()


def print_pages():
    while True:
        page = PAGES.get()
        page.share = 100 // page.copies
        page.printed.set()
        PAGES.task_done()


@app.get("/print/<int:copies>")
def print_page(copies):
    page = Page(copies)
    PAGES.put(page)
    if copies:
        common.stuck()
        page.printed.wait()  # <- guilty
    return "printed\n"


@app.get("/photo/<int:seconds>")
def develop(seconds):
    if seconds:
        common.stuck("darkroom")
    DARKROOM.acquire()  # <- darkroom
    if not seconds:
        return "nothing to develop\n"
    DARKROOM.release()
    return "developed\n"


@app.get("/tool/<int:turns>")
def use_tool(turns):
    if turns:
        common.stuck("tools")
    tool = TOOLS.get()  # <- tools
    if not turns:
        return "nothing to turn\n"
    TOOLS.put(tool)
    return "%s\n" % tool


@app.get("/lamp/<int:hours>")
def light(hours):
    if hours:
        common.stuck("lamps")
    try:
        return "%s\n" % LAMPS.use(lambda lamp: 24 // hours)  # <- lamps
    except ZeroDivisionError:
        return "no light\n"


@app.get("/drain")
def drain():
    common.stuck("drain")
    PAGES.join()  # <- drain
    return "all printed\n"


BELL = threading.Condition()
RUNG = []


def ring():
    with BELL:
        BELL.notify_all()


@app.get("/bell")
def bell():
    """Rings before anybody listens, and does not note it."""
    ringer = threading.Thread(target=ring)
    ringer.start()
    ringer.join()
    with BELL:
        while not RUNG:
            common.stuck("bell")
            BELL.wait()  # <- bell
    return "rung\n"


if __name__ == "__main__":
    threading.Thread(target=print_pages, name="printer", daemon=True).start()
    common.serve(app)

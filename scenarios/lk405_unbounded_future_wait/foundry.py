"""Views wait for futures that they hand to threads at work: these cast in batches, or answer when the other side of a connection does.

/cast: a queue made in C that is emptied every ten minutes. /mould: a queue emptied by a function. /pour: the data of a selector's
keys. /etch/0 ends the etching thread by an error, /polish/0 is an error that the polishing one passes over.
"""
import queue
import selectors
import socket
import threading
import time
from concurrent.futures import Future

from flask import Flask

import common

app = common.add_ping(Flask(__name__))
CASTS, MOULDS, PLATES, STONES = queue.SimpleQueue(), queue.Queue(), queue.Queue(), queue.Queue()
POURED = selectors.DefaultSelector()
threading.excepthook = lambda args: None


def cast():
    while True:
        time.sleep(600)
        while not CASTS.empty():
            CASTS.get().set_result("cast\n")


def empty_moulds():
    while not MOULDS.empty():
        MOULDS.get().set_result("moulded\n")


def mould():
    while True:
        time.sleep(600)
        empty_moulds()


def pour():
    while True:
        for key, _ in POURED.select(0.2):
            POURED.unregister(key.fileobj)
            key.data.set_result(key.fileobj.recv(100))


def etch():
    while True:
        plate = PLATES.get()
        plate.set_result("%s\n" % (1 / plate.depth))


def polish():
    while True:
        stone = STONES.get()
        try:
            stone.set_result("%s\n" % (1 / stone.depth))
        except ZeroDivisionError:
            pass


def handed_to(things, depth=1):
    thing = Future()
    thing.depth = depth
    things.put(thing)
    return thing


@app.get("/cast")
def cast_view():
    casting = handed_to(CASTS)
    common.waiting()
    return casting.result()


@app.get("/mould")
def mould_view():
    moulding = handed_to(MOULDS)
    common.waiting()
    return moulding.result()


@app.get("/pour")
def pour_view():
    near, far = socket.socketpair()
    pouring = Future()
    POURED.register(near, selectors.EVENT_READ, pouring)
    common.waiting()
    return pouring.result()


@app.get("/etch/<int:depth>")
def etch_view(depth):
    etching = handed_to(PLATES, depth)
    if not depth:
        return "nothing to etch\n"
    common.stuck()
    return etching.result()  # <- guilty


@app.get("/polish")
def polish_view():
    polishing = handed_to(STONES, 0)
    common.stuck("polished")
    return polishing.result()  # <- polished


if __name__ == "__main__":
    for work in (cast, mould, pour, etch, polish):
        threading.Thread(target=work, name=work.__name__, daemon=True).start()
    common.serve(app)

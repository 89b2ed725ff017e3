"""Threads and coroutines that have a thing; who else has it, each function's name says: nobody (kept_*), nobody, which not every version lets tell (maybe_*), or somebody (other_*)."""
import asyncio.futures
import collections
import functools
import json
import os
import sys
import threading
import weakref

KEPT = {}
WEAK = weakref.WeakSet()
SHOWN = []


class Thing:
    def set(self):
        pass


class Slotted:
    __slots__ = ("inner",)


class SlottedAgain(Slotted):
    __slots__ = ("inner",)
    alias = Slotted.inner


class Loop:
    def get_debug(self):
        return False


def show(thing):
    SHOWN.append((sys._getframe(1).f_code.co_name, id(thing)))


def kept_local(wait):
    thing = Thing()
    show(thing)
    wait()


def maybe_argument(wait):
    def inner(thing):
        SHOWN.append(("maybe_argument", id(thing)))
        wait()
    inner(Thing())


def kept_attribute(wait):
    box, slots = Thing(), Slotted()
    box.slots, slots.inner = slots, Thing()
    show(slots.inner)
    wait()


def kept_items(wait):
    box = {"all": [(Thing(),)]}
    show(box["all"][0][0])
    wait()


def kept_ordered(wait):
    """A key, which the order refers to as well."""
    box = collections.OrderedDict({Thing(): 1})
    show(next(iter(box)))
    wait()


def kept_closure(wait):
    thing = Thing()

    def later():
        thing.set()
    show(thing)
    wait()
    later()


def kept_callables(wait):
    method = Thing().set
    callback = functools.partial(print, method.__self__)
    show(method.__self__)
    wait()
    callback()


def maybe_generator(wait):
    def each():
        thing = Thing()
        SHOWN.append(("maybe_generator", id(thing)))
        yield 1
        thing.set()
    for _ in each():
        wait()


def other_global(wait):
    thing = KEPT["thing"] = Thing()
    show(thing)
    wait()


def other_owner(wait):
    """What has the thing is somebody else's."""
    box = KEPT["box"] = Thing()
    box.inner = Thing()
    show(box.inner)
    wait()


def other_thread(wait):
    thing = Thing()
    ready = threading.Event()

    def helper(mine):
        ready.set()
        mine.wait = threading.Event()
        mine.wait.wait()
    threading.Thread(target=helper, args=(thing,), daemon=True).start()
    ready.wait()
    show(thing)
    wait()


def other_default(wait):
    thing = Thing()

    def later(mine=thing):
        pass
    KEPT["later"] = later
    show(thing)
    wait()


def other_weak(wait):
    thing = Thing()
    WEAK.add(thing)
    show(thing)
    wait()


def other_weak_owner(wait):
    box = Thing()
    box.inner = Thing()
    WEAK.add(box)
    show(box.inner)
    wait()


def kept_vars(wait):
    """The dict of an instance is somebody's who has both."""
    box = Thing()
    box.inner = Thing()
    names = vars(box)
    show(box.inner)
    wait()
    names.clear()


def other_vars(wait):
    """Two ways to one reference."""
    box = Thing()
    box.inner = KEPT["vars"] = Thing()
    names = vars(box)
    show(box.inner)
    wait()
    names.clear()


def other_shared_vars(wait):
    one, two = Thing(), Thing()
    two.__dict__ = one.__dict__
    one.inner = KEPT["shared"] = Thing()
    show(two.inner)
    wait()


def kept_slots(wait):
    box = SlottedAgain()
    box.inner = Thing()
    show(box.inner)
    wait()


def other_slots(wait):
    """A slot that a subclass has again, and under another name."""
    box = SlottedAgain()
    box.inner = KEPT["slots"] = Thing()
    show(box.inner)
    wait()


def kept_callbacks(wait):
    future = asyncio.futures._PyFuture(loop=Loop())
    show(future._callbacks)
    wait()


def other_callbacks(wait):
    future = asyncio.futures._PyFuture(loop=Loop())
    KEPT["callbacks"] = future._callbacks
    show(future._callbacks)
    wait()


def other_immortal(wait):
    thing = None
    show(thing)
    wait()


FUNCTIONS = [f for name, f in list(globals().items()) if name.startswith(("kept_", "maybe_", "other_"))]


def main():
    stop, reached = threading.Event(), threading.Semaphore(0)

    def wait():
        reached.release()
        stop.wait()
    for f in FUNCTIONS:
        threading.Thread(target=f, args=(wait,), name=f.__name__, daemon=True).start()
        reached.acquire()
    os.write(1, json.dumps({"pid": os.getpid(), "version": list(sys.version_info[:2]), "things": SHOWN}).encode() + b"\n")  # at once: its reader goes then
    sys.stdin.read()


main()

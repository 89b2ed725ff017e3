"""Greenlets in every state on two threads, for test_greenlet.c. Prints "ready" and waits; after a line on its standard input,
prints what it knows of each greenlet: to ask for a greenlet's frame may change it, so that comes last. With "imported",
"patched" or "switched": has a library with a hub (gevent, by the names of its modules) and one greenlet, and what that word says."""
import gc
import json
import sys
import threading
import types

import greenlet

KEEP = []
OF_THREAD = {}


def make(run):
    g = greenlet.greenlet(run)
    KEEP.append(g)
    OF_THREAD[id(g)] = threading.get_native_id()
    return g


def leave():
    greenlet.getcurrent().parent.switch()


def plain(depth):
    plain(depth - 1) if depth else leave()


def through_c(depth):
    sorted([1, 2], key=lambda x: (through_c(depth - 1) if depth else leave()) or x)


def generator():
    leave()
    yield


def through_generator():
    for _ in generator():
        pass


class Made:
    def __init__(self):
        leave()


def through_init():
    Made()


def nested():
    make(lambda: greenlet.getcurrent().parent.parent.switch()).switch()


class Named(greenlet.greenlet):
    """A mixin first, a dict of its own, __slots__: the base's size says nothing of this one."""

    def __init__(self, *args):
        super().__init__(*args)
        self.attribute = 1


class Mixin:
    pass


class Mixed(Mixin, Named):
    pass


def of_class(cls):
    g = cls(lambda: plain(2))
    KEEP.append(g)
    OF_THREAD[id(g)] = threading.get_native_id()
    return g


def all_states():
    OF_THREAD[id(greenlet.getcurrent())] = threading.get_native_id()
    for depth in range(6):
        make(lambda: plain(depth)).switch()
        make(lambda: through_c(depth)).switch()
    for run in (through_generator, through_init, nested):
        make(run).switch()
    of_class(Named).switch()
    of_class(Mixed).switch()
    make(greenlet.getcurrent().switch).switch()  # suspended in C, without a frame
    make(plain)  # not started
    make(int).switch()  # over


CURRENT = set()
READY = threading.Barrier(2)


def stay(wait):
    CURRENT.add(id(greenlet.getcurrent()))
    wait()


def second():
    all_states()
    make(lambda: stay(lambda: (READY.wait(), threading.Event().wait()))).switch()


def stack(frame):
    found = []
    while frame:
        found.append([frame.f_code.co_name, frame.f_lineno])
        frame = frame.f_back
    return found


def truth():
    for g in [o for o in gc.get_objects() if isinstance(o, greenlet.greenlet)]:
        suspended = bool(g) and not g.dead and id(g) not in CURRENT
        frames = stack(g.gr_frame) if suspended else []
        # Before greenlet 2 nothing tells one that is suspended in C from one that runs.
        seen = suspended and (bool(frames) or int(greenlet.__version__.split(".")[0]) >= 2)
        yield {"addr": id(g), "suspended": seen, "tid": OF_THREAD[id(g)], "class": type(g).__name__, "stack": frames}


def with_library(how):
    for name in ("gevent", "gevent.hub", "gevent.monkey"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["gevent.monkey"].saved = {"time": {"sleep": None}} if how == "patched" else {}
    KEEP.append(greenlet.getcurrent())
    make(plain)  # not started: a hub that nobody has switched to
    if how == "switched":
        make(leave).switch()
    print("ready", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    if sys.argv[1:]:
        with_library(sys.argv[1])
        sys.exit()
    all_states()
    threading.Thread(target=second, daemon=True).start()
    READY.wait()
    CURRENT.add(id(greenlet.getcurrent()))
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(list(truth())), flush=True)
    threading.Event().wait()

"""Functions that load `release` from all kinds of objects, each held in a thread of its own; says which of them can be LOCK.

Prints one line of JSON: version, how its instructions are read, decoded code, and what test_receiver.c has to say of each thread.
Ends when stdin does.
"""
import dis
import json
import os
import sys
import threading
import types

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import opcode_rows

LOCK = threading.Lock()
OTHER = threading.Lock()
SEM = threading.Semaphore(0)
COND = threading.Condition(LOCK)
OTHER_COND = threading.Condition()
OVER_COND = threading.Semaphore(0)
OVER_COND._cond = COND
release = LOCK.release
MODULE = types.ModuleType("made_up")
MODULE.sem, MODULE.lock = SEM, LOCK
EXPECTED = {}
FUNCTIONS = []


def case(expected):
    def add(f):
        EXPECTED[f.__name__] = expected
        FUNCTIONS.append(f)
        return f
    return add


class Wrapper:
    def __init__(self, lock):
        self.lock = lock

    def release(self):
        self.lock.release()


class Plain:
    def __init__(self, lock):
        self.mine = lock

    def release(self):
        return self


class Proxy:
    def __getattr__(self, name):
        return getattr(LOCK, name)


class Slots:
    __slots__ = ("sem", "lock")


class Owner:
    shared = SEM

    def __init__(self):
        self.sem, self.lock, self.wrapper = SEM, LOCK, Wrapper(LOCK)

    @property
    def hidden(self):
        return LOCK


class Derived(Plain):
    def derived(self, wait):
        super().release
        wait()


OWNER, SLOTS, PROXY = Owner(), Slots(), Proxy()
OWNER.inner = Owner()
SLOTS.sem, SLOTS.lock = SEM, LOCK
OVER_LOCK, OVER_OTHER, PLAIN = Wrapper(LOCK), Wrapper(OTHER), Plain(OTHER)


@case("no")
def nothing(wait):
    wait()


@case("no")
def global_semaphore(wait):
    SEM.release()
    wait()


@case("yes")
def global_lock(wait):
    SEM.release()
    LOCK.release
    wait()


@case("no")
def global_other_lock(wait):
    OTHER.release
    wait()


@case("yes")
def global_condition(wait):
    COND.release
    wait()


@case("no")
def global_other_condition(wait):
    OTHER_COND.release
    wait()


@case("yes")
def semaphore_over_it(wait):
    OVER_COND.release
    wait()


@case("yes")
def name_itself(wait):
    if wait is None:
        release()
    wait()


@case("yes")
def local_lock(wait):
    mine = LOCK
    mine.release
    wait()


@case("no")
def local_semaphore(wait):
    mine = SEM
    mine.release()
    wait()


@case("no")
def two_locals(wait):
    a, b = SEM, LOCK
    (b, a.release)
    wait()


@case("yes")
def two_locals_lock(wait):
    a, b = SEM, LOCK
    (a, b.release)
    wait()


@case("no")
def parameter(wait, sem=SEM):
    sem.release()
    wait()


@case("yes")
def parameter_lock(wait, lock=LOCK):
    lock.release
    wait()


@case("unknown")
def parameter_stored(wait, sem=LOCK):
    sem.release
    sem = SEM
    wait()
    return sem


@case("unknown")
def stored_twice(wait):
    mine = LOCK
    mine.release
    mine = SEM
    wait()


@case("unknown")
def in_a_loop(wait):
    for mine in (LOCK, SEM):
        mine.release
    wait()


@case("unknown")
def in_a_while(wait):
    n = 0
    while n < 2:
        mine = (LOCK, SEM)[n]
        mine.release
        n += 1
    wait()


@case("unknown")
def deleted(wait):
    mine = SEM
    mine.release()
    del mine
    wait()


@case("unknown")
def not_bound_yet(wait):
    wait()
    mine = SEM
    mine.release()


@case("unknown")
def either(wait):
    (LOCK if wait else SEM).release
    wait()


@case("unknown")
def fallback(wait):
    (LOCK or SEM).release
    wait()


@case("unknown")
def attribute_of_either(wait, a=OWNER, b=Slots):
    (a if wait else b).sem.release
    wait()


@case("unknown")
def computed(wait):
    [LOCK][0].release
    wait()


@case("unknown")
def returned(wait):
    threading.current_thread().release if wait is None else None
    wait()


@case("no")
def attribute(wait):
    OWNER.sem.release()
    wait()


@case("yes")
def attribute_lock(wait):
    OWNER.lock.release
    wait()


@case("no")
def attribute_chain(wait):
    OWNER.inner.sem.release()
    wait()


@case("yes")
def attribute_chain_lock(wait):
    OWNER.inner.lock.release
    wait()


@case("no")
def attribute_of_class(wait):
    OWNER.shared.release()
    wait()


@case("unknown")
def attribute_stored(wait, o=Owner()):
    o.lock.release
    o.lock = SEM
    wait()
    o.lock = LOCK


@case("unknown")
def attribute_computed(wait):
    OWNER.hidden.release
    wait()


@case("no")
def slot(wait):
    SLOTS.sem.release()
    wait()


@case("yes")
def slot_lock(wait):
    SLOTS.lock.release
    wait()


@case("no")
def of_module(wait):
    MODULE.sem.release()
    wait()


@case("yes")
def of_module_lock(wait):
    MODULE.lock.release
    wait()


@case("yes")
def wrapped(wait):
    OVER_LOCK.release
    wait()


@case("unknown")
def wrapped_other(wait):
    OVER_OTHER.release
    wait()


@case("no")
def plain_method(wait):
    PLAIN.release
    wait()


@case("unknown")
def proxied(wait):
    PROXY.release
    wait()


@case("unknown")
def by_class(wait):
    Wrapper.release
    wait()


@case("unknown")
def replaced_global(wait):
    global CHANGED
    CHANGED.release
    CHANGED = SEM
    wait()


CHANGED = SEM


@case("unknown" if sys.version_info >= (3, 12) else "no")
def comprehension(wait):
    [s.release for s in (LOCK, SEM)]
    wait()


@case("no")
def exceptions(wait):
    try:
        with OTHER:
            SEM.release()
            wait()
    except (ValueError, KeyError):
        SEM.release()
    finally:
        SEM.release()


def make_closures():
    sem, lock, both = SEM, LOCK, LOCK

    @case("no")
    def closure(wait):
        sem.release()
        wait()

    @case("yes")
    def closure_lock(wait):
        lock.release
        wait()

    @case("unknown")
    def closure_stored(wait):
        nonlocal both
        both.release
        both = SEM
        wait()


@case("no")
def cell_of_its_own(wait):
    sem = SEM
    sem.release()
    (lambda: sem)()
    wait()


@case("unknown")
def cell_of_a_parameter(wait, sem=LOCK):
    sem.release
    sem = SEM
    (lambda: sem)()
    wait()


@case("no")
def profiled(wait):
    sys.setprofile(lambda *args: None)
    instrumented(wait)


@case("no")
def instrumented(wait):
    for i in range(2):
        SEM.release()
    OWNER.inner.sem.release()
    wait()


def make_wide(name, expected, last):
    """More names than one byte counts: EXTENDED_ARG everywhere."""
    lines = ["def %s(wait):" % name] + ["    v%d = WIDE.a%d" % (i, i) for i in range(300)] + ["    " + last, "    wait()"]
    exec(compile("\n".join(lines), __file__, "exec"), globals())
    case(expected)(globals()[name])


WIDE = types.SimpleNamespace(**{"a%d" % i: LOCK for i in range(300)})
WIDE.sem, WIDE.lock = SEM, LOCK


def run_module(wait, separate):
    namespace = {"sem": SEM, "wait": wait}
    code = compile("sem.release()\nmine = sem\nmine.release()\nwait()\n", __file__, "exec")
    exec(code, namespace, {"sem": SEM} if separate else namespace)


def stdlib_codes():
    import argparse
    import asyncio.base_events
    import asyncio.streams
    import inspect
    import logging
    import typing
    todo = []
    for module in (argparse, asyncio.base_events, asyncio.streams, inspect, logging, threading, typing, dis, sys.modules[__name__]):
        for value in list(vars(module).values()):
            for f in [value] + (list(vars(value).values()) if isinstance(value, type) else []):
                if isinstance(f, types.FunctionType):
                    todo.append(f.__code__)
    seen = set()
    while todo and len(seen) < 900:
        code = todo.pop()
        if id(code) not in seen:
            seen.add(id(code))
            todo += [c for c in code.co_consts if isinstance(c, types.CodeType)]
            yield code


def decoded(code):
    return {
        "code": getattr(code, "_co_code_adaptive", code.co_code).hex(),
        "at": [i.offset for i in dis.get_instructions(code) if i.opname != "EXTENDED_ARG"],
        "targets": sorted(set(dis.findlabels(code.co_code))),
    }


def main():
    make_closures()
    make_wide("wide", "no", "WIDE.sem.release()")
    make_wide("wide_lock", "yes", "WIDE.lock.release")
    make_wide("wide_local", "yes", "v299.release")
    stop, reached = threading.Event(), threading.Semaphore(0)

    def wait():
        reached.release()
        stop.wait()

    def hold(name, f, *args):
        EXPECTED.setdefault(name, None)
        threading.Thread(target=f, args=(wait,) + args, name=name, daemon=True).start()
        reached.acquire()

    derived = Derived(OTHER).derived
    for i in range(100):
        for f in FUNCTIONS:
            if f not in (profiled, not_bound_yet):
                f(lambda: None)
        derived(lambda: None)
    codes = [decoded(c) for c in stdlib_codes()]
    threads = []
    for f in FUNCTIONS:
        hold(f.__name__, f)
        threads.append([f.__name__, f.__name__, EXPECTED[f.__name__]])
    for name, f, args, function, expected in (
            ("derived", derived, (), "derived", "unknown"),
            ("module", run_module, (False,), "<module>", "no"),
            ("module_apart", run_module, (True,), "<module>", "unknown")):
        hold(name, f, *args)
        threads.append([name, function, expected])
    print(json.dumps({"pid": os.getpid(), "version": list(sys.version_info[:2]), "lock": id(LOCK), "rows": opcode_rows.rows(),
                      "codes": codes, "threads": threads}), flush=True)
    sys.stdin.read()


main()

"""A process full of waits, which says on stdout what a reader from outside must find.

Prints one line of JSON when everything stands: entities by address (id()) or by thread name, and for each the wait
that is expected. Then it sleeps until it is ended. Run by test_aio_truth.c on every CPython that is there.
"""
import asyncio
import concurrent.futures
import contextlib
import functools
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time

T = {}        # thread name -> expectation
K = []        # tasks
L = []        # loops
F = []        # futures
X = []        # executors
LOCKS = []
H = {"timers": [], "by": []}  # who has a task of the ring at hand: names of functions, of tasks and threads
NAMES = {}    # label -> address
KEEP = []
V = sys.version_info[:2]
HERE = os.path.abspath(__file__)


def thread(name, target, *args, daemon=True):
    t = threading.Thread(target=target, args=args, name=name, daemon=daemon)
    t.start()
    return t


def blocked(seconds=0.15):
    time.sleep(seconds)


# ---- threads that wait -------------------------------------------------------------------

lock_with = threading.Lock()
lock_bare = threading.Lock()
rlock = threading.RLock()
cond = threading.Condition()
cond_plain = threading.Condition(threading.Lock())
event = threading.Event()
sem = threading.Semaphore(0)
barrier = threading.Barrier(3)
q_get, q_put, q_join = queue.Queue(), queue.Queue(1), queue.Queue()
sq = queue.SimpleQueue()
user_future = concurrent.futures.Future()
hold_forever = threading.Event()


class Account:
    def __init__(self):
        self.guard = threading.Lock()

    def hold(self):
        with self.guard:
            hold_forever.wait()

    def want(self):
        with self.guard:
            pass


account = Account()


@contextlib.contextmanager
def managed(lock):
    with lock:
        yield


gen_lock, stack_lock, bare_lock, released_lock = (threading.Lock() for _ in range(4))


def hold_by_generator():
    with managed(gen_lock):
        hold_forever.wait()


def hold_by_stack():
    with contextlib.ExitStack() as stack:
        stack.enter_context(stack_lock)
        hold_forever.wait()


def hold_bare():
    bare_lock.acquire()
    hold_forever.wait()


def hold_and_give_back():
    with released_lock:
        released_lock.release()
        try:
            hold_forever.wait()
        finally:
            released_lock.acquire()


def take_bare():
    released_lock.acquire()
    hold_forever.wait()


def holder():
    with lock_with:
        lock_bare.acquire()
        rlock.acquire()
        hold_forever.wait()


def enter(lock):
    with lock:
        pass


def take(lock):
    lock.acquire()


def take_timed(lock):
    lock.acquire(timeout=1000)


def cond_wait(c):
    with c:
        c.wait()


def cond_wait_for(c):
    with c:
        c.wait_for(lambda: False)


def outer_holds_inner_waits(c):
    with c:
        helper(c)


def helper(c):
    c.wait()


def enter_in_try(lock):
    try:
        with lock:
            pass
    except ValueError:
        pass


def enter_in_finally(lock):
    try:
        raise ValueError
    except ValueError:
        try:
            with lock:
                pass
        finally:
            pass


def try_in_with(lock):
    with lock:
        try:
            hold_forever.wait()
        finally:
            pass


def take_and_return(lock):
    lock.acquire()


def give_back_later(lock):
    hold_forever.wait()
    lock.release()


def owned_in_try():
    """A `with` that is being entered inside of a try holds nothing; one around a try does."""
    for name, fn in (("in_try", enter_in_try), ("in_finally", enter_in_finally)):
        lock = threading.Lock()
        KEEP.append(lock)
        taker = thread("taker_" + name, take_and_return, lock)
        taker.join()
        thread(name, fn, lock)
        T[name] = {"kind": "LOCK", "on": [id(lock)], "call": "a with statement"}
        LOCKS.append({"addr": id(lock), "kind": "threading.Lock", "owners": [], "certain": False, "by": "none"})
    around = threading.Lock()
    KEEP.append(around)
    thread("around_try", try_in_with, around)
    blocked(0.05)
    thread("around_wanter", enter_in_try, around)
    LOCKS.append({"addr": id(around), "kind": "threading.Lock", "owners": ["around_try"], "certain": True, "by": "value-stack"})


def rows(lock):
    with lock:
        yield 1
        yield 2


def delegated(lock):
    yield from rows(lock)


def loop_over(make, lock):
    for _ in make(lock):
        try:
            hold_forever.wait()
        finally:
            pass


def loop_over_shared(generator):
    for _ in generator:
        hold_forever.wait()


def held_by_generators():
    """A generator in a `for` is the looping frame's, unless somebody else has it too."""
    for name, make in (("rows", rows), ("delegated", delegated)):
        lock = threading.Lock()
        KEEP.append(lock)
        thread("loop_" + name, loop_over, make, lock)
        blocked(0.05)
        thread("wants_" + name, enter, lock)
        # Up to 3.10 the depth of the stack of a frame that calls Python code is not known.
        if V >= (3, 11):
            LOCKS.append({"addr": id(lock), "kind": "threading.Lock", "owners": ["loop_" + name], "certain": True,
                          "by": "value-stack"})
    lock = threading.Lock()
    shared = rows(lock)
    KEEP.extend((lock, shared))
    thread("loop_shared", loop_over_shared, shared)
    blocked(0.05)
    thread("wants_shared", enter, lock)
    LOCKS.append({"addr": id(lock), "kind": "threading.Lock", "certain": False})


def given_back_by_others():
    """Timers and watchdogs release what another thread has taken."""
    for name, other in (("timer", lambda lock: threading.Timer(100000, lock.release)),
                        ("watchdog", lambda lock: threading.Thread(target=give_back_later, args=(lock,)))):
        lock = threading.Lock()
        t = other(lock)
        t.daemon = True
        t.start()
        KEEP.extend((lock, t))
        thread("keeper_" + name, try_in_with, lock)
        blocked(0.05)
        thread("wanter_" + name, enter, lock)
        LOCKS.append({"addr": id(lock), "kind": "threading.Lock", "owners": ["keeper_" + name], "certain": False,
                      "by": "value-stack"})


def threads():
    thread("holder", holder)
    blocked(0.05)
    for name, fn, arg, kind, on, call in (
        ("with", enter, lock_with, "LOCK", lock_with, "a with statement"),
        ("bare", take, lock_bare, "LOCK", lock_bare, "Lock.acquire()"),
        ("timed", take_timed, lock_bare, "LOCK", lock_bare, "Lock.acquire()"),
        ("rlock", enter, rlock, "LOCK", rlock, "a with statement"),
        ("cond", cond_wait, cond, "CONDITION", cond, "Condition.wait()"),
        ("cond_for", cond_wait_for, cond_plain, "CONDITION", cond_plain, "Condition.wait_for()"),
        ("event", lambda e: e.wait(), event, "EVENT", event, "Event.wait()"),
        ("sem", lambda s: s.acquire(), sem, "SEMAPHORE", sem, "Semaphore.acquire()"),
        ("barrier", lambda b: b.wait(), barrier, "BARRIER", barrier, "Barrier.wait()"),
        ("q_get", lambda q: q.get(), q_get, "QUEUE_GET", q_get, "Queue.get()"),
        ("sq_get", lambda q: q.get(), sq, "QUEUE_GET", sq, "SimpleQueue.get()"),
        ("user_future", lambda f: f.result(), user_future, "FUTURE", user_future, "Future.result()"),
        ("cf_wait", lambda f: concurrent.futures.wait([f]), user_future, "FUTURE", user_future, "concurrent.futures.wait()"),
        ("as_completed", lambda f: list(concurrent.futures.as_completed([f])), user_future, "FUTURE", user_future,
         "concurrent.futures.as_completed()"),
    ):
        thread(name, fn, arg)
        T[name] = {"kind": kind, "on": [id(on)], "call": call, "timeout": name == "timed"}
    q_put.put(1)
    thread("q_put", lambda: q_put.put(2))
    T["q_put"] = {"kind": "QUEUE_PUT", "on": [id(q_put)], "call": "Queue.put()"}
    q_join.put(1)
    thread("q_join", lambda: q_join.join())
    T["q_join"] = {"kind": "QUEUE_JOIN", "on": [id(q_join)], "call": "Queue.join()"}
    sleeper = thread("sleeper", time.sleep, 100000)
    T["sleeper"] = {"kind": "SLEEP", "on_kind": "extern", "call": "time.sleep()", "timeout": True}
    thread("joiner", lambda: sleeper.join())
    T["joiner"] = {"kind": "JOIN", "on_threads": ["sleeper"], "call": "Thread.join()"}
    a, b = socket.socketpair()
    KEEP.extend((a, b))
    thread("recv", lambda: a.recv(1))
    T["recv"] = {"kind": "IO", "on_kind": "extern", "call": "socket.recv()"}
    listener = socket.create_server(("127.0.0.1", 0))
    KEEP.append(listener)
    thread("accept", lambda: listener.accept())
    T["accept"] = {"kind": "IO", "on_kind": "extern"}
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    KEEP.append(child)
    thread("child", lambda: child.wait())
    T["child"] = {"kind": "CHILD", "on_kind": "extern", "text": "child %d" % child.pid, "call": "Popen.wait()"}
    thread("guard_holder", account.hold)
    blocked(0.05)
    thread("guard_wanter", account.want)
    T["guard_wanter"] = {"kind": "LOCK", "on": [id(account.guard)], "call": "a with statement"}
    for name, fn, lock in (("gen_holder", hold_by_generator, gen_lock), ("stack_holder", hold_by_stack, stack_lock),
                           ("bare_holder", hold_bare, bare_lock), ("give_back", hold_and_give_back, released_lock)):
        thread(name, fn)
        blocked(0.02)
        if name == "give_back":
            thread("taker", take_bare)
            blocked(0.02)
        thread(name + "_wanter", enter, lock)
        T[name + "_wanter"] = {"kind": "LOCK", "on": [id(lock)]}
    # Two traps: the `with` stands far above the wait, and someone else has the lock meanwhile.
    trap = threading.Condition(threading.Lock())
    KEEP.append(trap)
    thread("trap_waiter", outer_holds_inner_waits, trap)
    blocked(0.05)
    thread("trap_holder", hold_trap, trap)
    blocked(0.05)
    thread("trap_wanter", enter, trap)
    T["trap_wanter"] = {"kind": "LOCK", "on": [id(trap._lock)]}
    LOCKS.extend((
        {"addr": id(lock_with), "kind": "threading.Lock", "owners": ["holder"], "certain": True, "by": "value-stack"},
        {"addr": id(lock_bare), "kind": "threading.Lock", "owners": [], "certain": False, "by": "none"},
        {"addr": id(rlock), "kind": "threading.RLock", "owners": ["holder"], "certain": True, "by": "field"},
        {"addr": id(account.guard), "kind": "threading.Lock", "owners": ["guard_holder"], "certain": True, "by": "value-stack"},
        {"addr": id(gen_lock), "kind": "threading.Lock", "owners": ["gen_holder"], "certain": True, "by": "value-stack"},
        {"addr": id(stack_lock), "kind": "threading.Lock", "owners": ["stack_holder"], "certain": True, "by": "value-stack"},
        {"addr": id(bare_lock), "kind": "threading.Lock", "owners": [], "certain": False, "by": "none"},
        {"addr": id(released_lock), "kind": "threading.Lock", "certain": False},
        {"addr": id(trap._lock), "kind": "threading.Lock", "owners": [], "certain": False, "by": "none"},
    ))
    owned_in_try()
    given_back_by_others()
    held_by_generators()


def hold_trap(c):
    c._lock.acquire()
    hold_forever.wait()


# ---- executors ---------------------------------------------------------------------------

pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="pool")
idle_pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="idle")
closing = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="closing")
closing_itself = concurrent.futures.ThreadPoolExecutor(2, thread_name_prefix="itself")


def shut_down_from_inside():
    blocked(0.05)  # submit() adds a worker to the set after it has started it
    # In the order of a set, which may put the caller first: then join() raises before it waits for anybody.
    closing_itself._threads = {t for t in closing_itself._threads if t is not threading.current_thread()}
    closing_itself.shutdown()


def executors():
    running = pool.submit(hold_forever.wait)
    blocked(0.05)
    queued = pool.submit(print, "never")
    idle_pool.submit(int).result()
    closing.submit(hold_forever.wait)
    KEEP.extend((running, queued))
    thread("on_running", lambda: running.result())
    thread("on_queued", lambda: queued.result())
    thread("on_timed", lambda: queued.result(timeout=1000))
    thread("shutdown", lambda: closing.shutdown())
    T["on_running"] = {"kind": "FUTURE", "on": [id(running)], "call": "Future.result()"}
    T["on_queued"] = {"kind": "FUTURE", "on": [id(queued)], "call": "Future.result()"}
    T["on_timed"] = {"kind": "FUTURE", "on": [id(queued)], "call": "Future.result()", "timeout": True}
    T["shutdown"] = {"kind": "JOIN", "on_threads": ["closing_0"], "call": "Executor.shutdown()"}
    closing_itself.submit(hold_forever.wait)
    blocked(0.05)
    closing_itself.submit(shut_down_from_inside)
    T["itself_1"] = {"kind": "JOIN", "on_threads": ["itself_0"], "call": "Executor.shutdown()"}
    T["idle_0"] = {"kind": "EXECUTOR_IDLE", "on": [id(idle_pool)]}
    F.append({"addr": id(running), "enders": ["thread:pool_0"], "complete": True, "state": "running"})
    F.append({"addr": id(queued), "enders": ["executor:%d" % id(pool)], "complete": True, "state": "pending"})
    F.append({"addr": id(user_future), "enders": [], "complete": False, "state": "pending"})
    X.append({"addr": id(pool), "workers": ["pool_0"], "max_workers": 1, "queued": 2})
    X.append({"addr": id(idle_pool), "workers": ["idle_0"], "max_workers": 1, "queued": 0})


# ---- tasks -------------------------------------------------------------------------------

def line_of(fn, offset):
    return fn.__code__.co_firstlineno + offset


def task(loop, coro, name, made=None, **expect):
    k = made(coro, loop=loop) if made else loop.create_task(coro)
    if hasattr(k, "set_name"):
        k.set_name(name)
    KEEP.append(k)
    K.append(dict(addr=id(k), name=name, loop=id(loop), **expect))
    return k


def python_futures(loop):
    loop.create_future = lambda: asyncio.futures._PyFuture(loop=loop)
    return loop


async def await_(x):
    return await x


async def two(x):
    await await_(x)


async def with_lock(lock):
    async with lock:
        await asyncio.Event().wait()


async def want_lock(lock):
    async with lock:
        pass


async def with_thread_lock(lock, fut):
    with lock:
        await fut


async def sleeping():
    await asyncio.sleep(100000)


async def waiting(fs, **kw):
    await asyncio.wait(fs, **kw)


async def gathering(fs):
    await asyncio.gather(*fs)


async def timed(fut):
    await asyncio.wait_for(fut, 1000)


async def timeout_block(fut):
    async with asyncio.timeout(1000):
        await fut


async def group(fut):
    async with asyncio.TaskGroup() as g:
        KEEP.append(g.create_task(await_(fut)))


async def completed(fs):
    for f in asyncio.as_completed(fs):
        await f


async def reading(sock):
    reader, writer = await asyncio.open_connection(sock=sock)
    KEEP.append(writer)
    await reader.read(1)


async def never_runs():
    pass


# ---- a ring of tasks, and who has one of them at hand ------------------------------------------------

RING = {}
OTHER = []


class Patience:
    def __init__(self, job):
        self.job = job

    def ends(self):
        self.job.cancel()

    def counts(self):
        self.n = 1


class Slotted:
    __slots__ = ("patience",)

    def __init__(self, patience):
        self.patience = patience

    def __call__(self):
        self.called()

    def called(self):
        self.owner.ends()

    @property
    def owner(self):
        return self.patience


def by_global():
    RING["a"].cancel()


def by_another():
    by_global()


def by_argument(jobs):
    jobs["a"][0].cancel()


def looks_only():
    return len(RING)


async def member(other):
    await asyncio.sleep(0)
    await asyncio.shield(RING[other])


async def holds_it(job):
    await asyncio.Event().wait()


async def holds_another(job):
    await asyncio.Event().wait()


def thread_holds_it(job):
    threading.Event().wait()


async def ring(loop):
    for me, other in (("a", "b"), ("b", "a")):
        RING[me] = task(loop, member(other), "ring_" + me, kind="FUTURE", timeout=me == "a")
    a = RING["a"]
    OTHER.append(task(loop, holds_another(loop.create_future()), "holds_another", kind="EVENT",
                      timeout=True))
    other = OTHER[0]

    def by_cell():
        a.cancel()

    def by_default(job=a):
        job.cancel()

    def another_by_cell():
        other.cancel()

    for call in by_cell, by_default, by_global, by_another, Patience(a).ends:
        loop.call_later(100000, call)
        H["timers"].append(call.__name__)
    loop.call_later(100000, by_argument, {"a": [a]})
    loop.call_later(100000, Slotted(Patience(a)))
    loop.call_later(100000, a.cancel)
    loop.call_later(100000, functools.partial(a.add_done_callback, print))
    H["timers"] += ["by_argument", "", "cancel", "add_done_callback"]
    for call in another_by_cell, looks_only, Patience(other).ends, Patience(a).counts, other.cancel, print:
        loop.call_later(100000, call)
    loop.call_later(100000, a.cancel).cancel()
    loop.call_later(float("inf"), a.cancel)
    task(loop, holds_it(a), "holds_it", kind="EVENT")
    thread("thread_holds_it", thread_holds_it, [a])
    timer = threading.Timer(100000, Patience(a).ends)
    timer.daemon, timer.name = True, "timer_holds_it"
    timer.start()
    H["by"] += ["holds_it", "thread_holds_it", "timer_holds_it"]


async def tasks(loop):
    fut = loop.create_future()
    inner = loop.create_future()
    KEEP.extend((fut, inner))
    alock, aevent, asem, acond, aq = asyncio.Lock(), asyncio.Event(), asyncio.Semaphore(0), asyncio.Condition(), asyncio.Queue()
    KEEP.extend((alock, aevent, asem, acond, aq))
    one = task(loop, two(fut), "two", kind="FUTURE", on=["f%d" % id(fut)], stack=["await_", "two"], coroutine="two")
    two_ = task(loop, await_(one), "on_task", kind="FUTURE", on=["k%d" % id(one)], coroutine="await_")
    task(loop, with_lock(alock), "alock_holder", kind="EVENT", call="asyncio.Event.wait()")
    await asyncio.sleep(0)
    task(loop, want_lock(alock), "alock_wanter", kind="LOCK", on=["l%d" % id(alock)], call="async with asyncio.Lock")
    task(loop, aevent.wait(), "aevent", kind="EVENT", on=["l%d" % id(aevent)], call="asyncio.Event.wait()")
    task(loop, asem.acquire(), "asem", kind="SEMAPHORE", on=["l%d" % id(asem)], call="asyncio.Semaphore.acquire()")
    task(loop, cond_waiting(acond), "acond", kind="CONDITION", on=["l%d" % id(acond)], call="asyncio.Condition.wait()")
    task(loop, aq.get(), "aq", kind="QUEUE_GET", on=["l%d" % id(aq)], call="asyncio.Queue.get()")
    task(loop, sleeping(), "sleeping", kind="SLEEP", call="asyncio.sleep()", ext_ms=[90000000, 100000000])
    task(loop, waiting([one, two_]), "waiting", kind="FUTURE", on=["k%d" % id(one), "k%d" % id(two_)], any=False, call="asyncio.wait()")
    task(loop, waiting([one, two_], return_when="FIRST_COMPLETED"), "waiting_any", kind="FUTURE",
         on=["k%d" % id(one), "k%d" % id(two_)], any=True, call="asyncio.wait()")
    task(loop, waiting([one], timeout=1000), "waiting_timed", kind="FUTURE", on=["k%d" % id(one)], timeout=True)
    task(loop, gathering([one, two_]), "gathering", kind="FUTURE", enders=["k%d" % id(one), "k%d" % id(two_)], all=True,
         complete=True, call="asyncio.gather()")
    task(loop, timed(one), "timed", kind="FUTURE", on=["k%d" % id(one)], timeout=True, call="asyncio.wait_for()")
    task(loop, await_(asyncio.shield(one)), "shielded", kind="FUTURE", enders=["k%d" % id(one)], complete=True)
    task(loop, completed([one, two_]), "as_completed", kind="FUTURE", enders=["k%d" % id(one), "k%d" % id(two_)], all=False,
         complete=True, call="asyncio.as_completed()")
    if V >= (3, 11):
        task(loop, timeout_block(fut), "timeout_block", kind="FUTURE", on=["f%d" % id(fut)], timeout=True)
        task(loop, group(fut), "group", kind="FUTURE", call="leaving asyncio.TaskGroup")
    pooled = loop.run_in_executor(pool, int)
    KEEP.append(pooled)
    task(loop, await_(pooled), "pooled", kind="FUTURE", on=["f%d" % id(pooled)], enders_kind="future", complete=True)
    a, b = socket.socketpair()
    KEEP.extend((a, b))
    task(loop, reading(a), "reading", kind="IO", call="StreamReader.read()")
    # Tasks and futures that are written in Python: a state in the class, a frame of their own at the end of each chain.
    plain = asyncio.futures._PyFuture(loop=loop)
    KEEP.append(plain)
    task(loop, two(plain), "py_future", kind="FUTURE", on=["f%d" % id(plain)], call="await")
    py_task = task(loop, two(plain), "py_task", made=asyncio.tasks._PyTask, kind="FUTURE", on=["f%d" % id(plain)],
                   state="pending", started=True, coroutine="two")
    task(loop, await_(py_task), "on_py_task", kind="FUTURE", on=["k%d" % id(py_task)])
    task(loop, waiting([one, py_task], return_when="FIRST_COMPLETED"), "py_waiting", made=asyncio.tasks._PyTask,
         kind="FUTURE", on=["k%d" % id(one), "k%d" % id(py_task)], any=True, call="asyncio.wait()")
    task(python_futures(loop), waiting([one, py_task]), "py_waiter", kind="FUTURE", any=False, call="asyncio.wait()",
         on=["k%d" % id(one), "k%d" % id(py_task)])
    await asyncio.sleep(0)
    del loop.create_future
    listener = socket.create_server(("127.0.0.1", 0))
    c, d = (socket.create_connection(listener.getsockname()) for _ in range(2))
    c.setblocking(False)
    KEEP.extend((listener, c, d))
    name = "127.0.0.1:%d" % listener.getsockname()[1]
    task(loop, loop.sock_recv(c, 1), "sock_recv", kind="IO", call="loop.sock_recv()", text=name)
    task(loop, reading(d), "reading_tcp", kind="IO", call="StreamReader.read()", text=name)
    gate = threading.Lock()
    KEEP.append(gate)
    task(loop, with_thread_lock(gate, fut), "gate_holder", kind="FUTURE", on=["f%d" % id(fut)])
    later = loop.create_future()
    loop.call_later(1000, later.set_result, None)
    KEEP.append(later)
    task(loop, await_(later), "later", kind="FUTURE", enders_kind="extern")
    await asyncio.sleep(0.05)
    thread("gate_wanter", enter, gate)
    T["gate_wanter"] = {"kind": "LOCK", "on": [id(gate)], "call": "a with statement"}
    LOCKS.append({"addr": id(gate), "kind": "threading.Lock", "owners": ["task:gate_holder"], "certain": True, "by": "value-stack"})
    LOCKS.append({"addr": id(alock), "kind": "asyncio.Lock", "owners": ["task:alock_holder"], "by": "value-stack"})
    F.append({"addr": id(fut), "enders": [], "complete": False, "state": "pending"})


async def cond_waiting(c):
    async with c:
        await c.wait()


def background(name):
    loop = asyncio.new_event_loop()
    thread(name, loop.run_forever)
    return loop


# ---- loops -------------------------------------------------------------------------------

class Holder:
    def __init__(self, loop):
        self.loop = loop


def loops():
    main = background("loop-main")
    asyncio.run_coroutine_threadsafe(tasks(main), main).result()
    asyncio.run_coroutine_threadsafe(ring(main), main).result()
    L.append({"addr": id(main), "run": "running", "thread": "loop-main", "closed": False, "own": True})
    T["loop-main"] = {"kind": "SELECTOR", "on": [id(main)], "call": "loop idle", "running_loop": id(main)}

    # A coroutine that blocks its own loop's thread on that loop.
    stuck = background("loop-stuck")
    outer_done = asyncio.run_coroutine_threadsafe(blocks(stuck), stuck)
    thread("outer", lambda: outer_done.result())
    blocked()
    T["outer"] = {"kind": "FUTURE", "on": [id(outer_done)], "call": "Future.result()"}
    T["loop-stuck"] = {"kind": "FUTURE", "on": [NAMES["inner_future"]], "call": "Future.result()", "running_loop": id(stuck),
                       "current_task": True}
    L.append({"addr": id(stuck), "run": "running", "thread": "loop-stuck", "own": False, "ready": 1})
    F.append({"addr": NAMES["inner_future"], "enders": ["loop:%d" % id(stuck)], "complete": True, "state": "pending"})
    outer_task = next(t for t in asyncio.all_tasks(stuck))
    K.append({"addr": id(outer_task), "loop": id(stuck), "state": "running", "coroutine": "blocks"})
    F.append({"addr": id(outer_done), "enders": ["k%d" % id(outer_task)], "complete": True})

    # What a thread runs its loop for: the future of run_until_complete, unless it is in a run_forever further inwards.
    T["loop-main"]["drives"] = 0
    until, inner = asyncio.new_event_loop(), asyncio.new_event_loop()
    thread("until", until.run_until_complete, waits_for_event())
    thread("nested", asyncio.run, runs_forever(inner))
    blocked()
    (awaited,) = asyncio.all_tasks(until)
    T["until"] = {"kind": "SELECTOR", "on": [id(until)], "drives": id(awaited)}
    T["nested"] = {"kind": "SELECTOR", "on": [id(inner)], "drives": 0, "current_task": True}
    L.append({"addr": id(until), "run": "running", "thread": "until", "own": True})
    L.append({"addr": id(inner), "run": "running", "thread": "nested", "own": True})
    L.append({"addr": id(KEEP[-1]), "run": "running", "thread": "nested", "own": False})

    stopped = asyncio.new_event_loop()
    stopped.run_until_complete(asyncio.sleep(0))
    waiting_on_stopped = asyncio.run_coroutine_threadsafe(never_runs(), stopped)
    thread("on_stopped", lambda: waiting_on_stopped.result())
    T["on_stopped"] = {"kind": "FUTURE", "on": [id(waiting_on_stopped)]}
    F.append({"addr": id(waiting_on_stopped), "enders": ["loop:%d" % id(stopped)], "complete": True})
    L.append({"addr": id(stopped), "run": "stopped", "ready": 1, "creates": id(waiting_on_stopped)})
    KEEP.append(Holder(stopped))

    closed = asyncio.new_event_loop()
    orphan = closed.create_task(await_(closed.create_future()))
    closed.run_until_complete(asyncio.sleep(0))
    closed.close()
    KEEP.append(orphan)
    L.append({"addr": id(closed), "run": "closed", "closed": True})
    K.append({"addr": id(orphan), "loop": id(closed), "state": "pending", "coroutine": "await_"})

    unstarted = asyncio.new_event_loop()
    k = unstarted.create_task(never_runs())
    KEEP.append(k)
    K.append({"addr": id(k), "loop": id(unstarted), "kind": "READY", "started": False, "ready": True, "coroutine": "never_runs",
              "line": never_runs.__code__.co_firstlineno})
    L.append({"addr": id(unstarted), "run": "stopped", "ready": 1})

    deep = asyncio.new_event_loop()
    KEEP.append({"x": [functools.partial(print, [(deep,)])]})
    L.append({"addr": id(deep), "run": "stopped", "heap": True})


async def waits_for_event():
    await asyncio.Event().wait()


async def runs_forever(inner):
    KEEP.append(asyncio.get_running_loop())
    asyncio._set_running_loop(None)
    inner.run_forever()


async def blocks(loop):
    f = asyncio.run_coroutine_threadsafe(never_runs(), loop)
    KEEP.append(f)
    NAMES["inner_future"] = id(f)
    f.result()


def truth():
    return {"pid": os.getpid(), "version": "%d.%d" % V, "threads": T, "tasks": K, "loops": L, "futures": F, "executors": X,
            "locks": LOCKS, "at_hand": H, "all_tasks": sum(len(asyncio.all_tasks(l)) for l in LOOPS())}


def LOOPS():
    import gc
    return [o for o in gc.get_objects() if isinstance(o, asyncio.AbstractEventLoop)]


if __name__ == "__main__":
    threads()
    executors()
    loops()
    blocked(0.3)
    print(json.dumps(truth()), flush=True)
    signal_me = threading.Event()
    signal_me.wait()

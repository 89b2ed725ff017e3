"""A process that says the truth about itself: blocked threads of every kind, suspended coroutines of every kind.

Prints one line of JSON when all of them have come to rest:
  threads:    per thread name its frames as sys._current_frames() has them: [function, line, f_lasti], innermost first,
              the addresses of the managers its `with` blocks hold, and of the object its innermost frame blocks on
  coroutines: per coroutine its address, its frames outermost first, the address of what it waits for at the end
Then it waits until its standard input is closed. Runs on CPython 3.8 and later.
"""
import asyncio
import collections
import concurrent.futures
import contextlib
import functools
import gc
import json
import os
import queue
import select
import socket
import subprocess
import sys
import threading
import time
import types

HELD = {}     # thread name -> managers inside whose `with` the thread is
PENDING = {}  # thread name -> object that its innermost frame calls a blocking method of
THREADS = {}
COROUTINES = {}
KEEP = []


def blocker(held=(), pending=None):
    """Starts the decorated function in a thread of its own."""
    def decorate(function):
        name = function.__name__
        HELD[name] = None if held is None else [id(o) for o in held]
        if pending is not None:
            PENDING[name] = id(pending)
        thread = threading.Thread(target=function, name=name, daemon=True)
        THREADS[name] = thread
        return function
    return decorate


def taken():
    lock = threading.Lock()
    lock.acquire()
    return lock


LOCKS = [taken() for _ in range(12)]
FREE = [threading.Lock() for _ in range(12)]
RLOCK = threading.RLock()
RLOCK.acquire()
FREE_RLOCK = threading.RLock()
CONDITION = threading.Condition()
EVENT = threading.Event()
SEMAPHORE = threading.Semaphore(0)
BARRIER = threading.Barrier(3)
QUEUE = queue.Queue()
FULL = queue.Queue(1)
FULL.put(1)
SIMPLE = queue.SimpleQueue()
FUTURE = concurrent.futures.Future()
POOL = concurrent.futures.ThreadPoolExecutor(2, thread_name_prefix="pool")
SOCKETS = socket.socketpair()
LISTENER = socket.socket()
LISTENER.bind(("127.0.0.1", 0))
LISTENER.listen(1)
SINK = os.pipe()


@blocker(pending=LOCKS[0])
def lock_acquire():
    LOCKS[0].acquire()


@blocker(pending=LOCKS[1])
def lock_with():
    with LOCKS[1]:
        pass


@blocker(pending=LOCKS[2], held=[FREE[2]])
def lock_with_in_with():
    with FREE[2]:
        with LOCKS[2]:
            pass


@blocker(pending=LOCKS[3], held=[FREE[3]])
def lock_keyword():
    with FREE[3]:
        for _ in range(3):
            LOCKS[3].acquire(blocking=True, timeout=100000)


@blocker(pending=RLOCK)
def rlock_acquire():
    RLOCK.acquire()


@blocker(pending=RLOCK)
def rlock_with():
    with RLOCK:
        pass


@blocker(held=[FREE_RLOCK])
def rlock_held_twice():
    with FREE_RLOCK:
        try:
            with FREE_RLOCK:
                time.sleep(100000)
        finally:
            pass


HELD["rlock_held_twice"] = [id(FREE_RLOCK), id(FREE_RLOCK)]


@blocker(held=[CONDITION])
def condition_wait():
    with CONDITION:
        CONDITION.wait()


@blocker(held=[CONDITION])
def condition_wait_for():
    with CONDITION:
        CONDITION.wait_for(lambda: False, timeout=100000)


@blocker(held=None)
def event_wait():
    EVENT.wait()


@blocker(held=None)
def semaphore_acquire():
    SEMAPHORE.acquire()


@blocker(held=None)
def barrier_wait():
    BARRIER.wait()


@blocker(held=None)
def queue_get():
    QUEUE.get()


@blocker(held=None)
def queue_put():
    FULL.put(2)


@blocker(held=None)
def queue_join():
    FULL.join()


@blocker(pending=SIMPLE)
def simplequeue_get():
    SIMPLE.get()


@blocker()
def join():
    THREADS["lock_acquire"].join()


@blocker(held=None)
def future_result():
    FUTURE.result()


@blocker(held=None)
def futures_wait():
    concurrent.futures.wait([FUTURE], timeout=100000)


@blocker()
def sleep():
    time.sleep(100000)


@blocker()
def select_select():
    select.select([SOCKETS[0]], [], [])


EPOLL = select.epoll()
EPOLL.register(SOCKETS[0].fileno(), select.EPOLLIN)


@blocker(pending=EPOLL)
def epoll_poll():
    EPOLL.poll()


@blocker(pending=SOCKETS[1])
def socket_recv():
    SOCKETS[1].recv(1)


@blocker()
def socket_accept():
    LISTENER.accept()


@blocker()
def pipe_read():
    os.read(SINK[0], 1)


@blocker(held=None)
def child_wait():
    child = subprocess.Popen(["sleep", "600"])
    KEEP.append(child)
    child.wait()


@blocker(pending=LOCKS[4])
def deep():
    def down(n, lock):
        if n:
            return down(n - 1, lock) + 1
        lock.acquire()
        return 0
    down(60, LOCKS[4])


@blocker(pending=LOCKS[5], held=[FREE[5]])
def through_c():
    def key(_value):
        with FREE[5]:
            return LOCKS[5].acquire()
    sorted([1, 2], key=functools.partial(key))


@blocker(pending=LOCKS[6])
def through_generator():
    def values():
        try:
            yield 1
            LOCKS[6].acquire()
            yield 2
        finally:
            pass
    for _ in values():
        pass


@contextlib.contextmanager
def locked(lock):
    with lock:
        yield lock


@blocker(held=None)
def contextmanager_held():
    with locked(FREE[6]):
        time.sleep(100000)


@blocker(held=None)
def exit_stack():
    with contextlib.ExitStack() as stack:
        stack.enter_context(FREE[7])
        time.sleep(100000)


@blocker(held=[FREE[8]])
def with_in_except():
    try:
        raise ValueError
    except ValueError:
        with FREE[8]:
            try:
                time.sleep(100000)
            finally:
                pass


@blocker()
def released_before():
    with FREE[9]:
        pass
    try:
        with FREE[9]:
            raise KeyError
    except KeyError:
        pass
    time.sleep(100000)


@blocker(held=[FREE[10], FREE[11]])
def two_in_one_with():
    with FREE[10], FREE[11]:
        time.sleep(100000)


HELD["two_in_one_with"].reverse()


@blocker(pending=LOCKS[7])
def star_call():
    def inner(*args, **kwargs):
        args[0].acquire(**kwargs)
    inner(*[LOCKS[7]], **{"blocking": True})


@blocker(pending=LOCKS[8])
def cells():
    lock = LOCKS[8]

    def closure(argument):
        def innermost():
            return lock, argument
        lock.acquire()
        return innermost
    closure(1)


class Рабочий:
    """Names outside ASCII."""

    def é(self):
        self.名 = 1
        LOCKS[9].acquire()


@blocker(pending=LOCKS[9])
def unicode_names():
    Рабочий().é()


@blocker(pending=LOCKS[10])
def compiled():
    space = {"lock": LOCKS[10]}
    exec(compile("def \U00020000():\n\n\n    x = [lock.acquire() for _ in range(2)]\n\U00020000()\n", "/tmp/d\xe9j\xe0/\udcff.py", "exec"), space)


def executor_job():
    LOCKS[11].acquire()


# ---- coroutines ------------------------------------------------------------------------------

LOOP = asyncio.new_event_loop()


def coroutine(function):
    COROUTINES[function.__name__] = function
    return function


class Awaitable:
    def __init__(self, inner):
        self.inner = inner

    def __await__(self):
        return self.inner.__await__()


async def leaf():
    future = LOOP.create_future()
    KEEP.append(future)
    try:
        await future
    finally:
        pass


async def middle(n):
    if n:
        await middle(n - 1)
    else:
        await leaf()


@coroutine
async def plain():
    await middle(3)


@coroutine
async def asyncio_sleep():
    await asyncio.sleep(100000)


@coroutine
async def gather():
    await asyncio.gather(leaf(), asyncio.sleep(100000))


@coroutine
async def wait_for():
    await asyncio.wait_for(leaf(), 100000)


@coroutine
async def wrapped():
    await Awaitable(leaf())


@types.coroutine
def old_style():
    yield from leaf().__await__()


@coroutine
async def generator_based():
    await old_style()


async def async_values():
    yield 1
    await leaf()
    yield 2


@coroutine
async def async_for():
    async for _ in async_values():
        pass


@coroutine
async def async_send():
    values = async_values()
    await values.asend(None)
    await values.asend(2)


@coroutine
async def async_throw():
    async def values():
        try:
            yield 1
        except ValueError:
            await leaf()
            yield 2
    it = values()
    await it.asend(None)
    await it.athrow(ValueError())


@coroutine
async def async_comprehension():
    return [v async for v in async_values()]


if sys.version_info >= (3, 10):
    @coroutine
    async def anext_default():
        values = async_values()
        await anext(values)
        await anext(values, None)


@coroutine
async def async_lock():
    lock = asyncio.Lock()
    async with lock:
        async with lock:
            pass


@coroutine
async def async_queue():
    await asyncio.Queue().get()


@coroutine
async def task_of_task():
    await LOOP.create_task(leaf())


def awaited(obj):
    """The object that a link of an await chain passes on to; these have no attribute for it."""
    for other in gc.get_referents(obj):
        name = type(other).__name__
        if name in ("async_generator", "coroutine", "generator", "async_generator_asend", "coroutine_wrapper") or asyncio.isfuture(other):
            return other
    return None


def chain(obj):
    frames, end = [], None
    while obj is not None:
        name = type(obj).__name__
        prefix = {"coroutine": "cr_", "generator": "gi_", "async_generator": "ag_"}.get(name)
        if prefix:
            frame = getattr(obj, prefix + "frame")
            if frame is None:
                break
            created = frame.f_lasti < 0 or (sys.version_info >= (3, 11) and frame.f_code.co_firstlineno == frame.f_lineno and
                                            getattr(obj, prefix + "await" if prefix != "gi_" else "gi_yieldfrom") is None)
            frames.append([frame.f_code.co_name, frame.f_lineno, -1 if created else frame.f_lasti])
            obj = getattr(obj, "gi_yieldfrom" if prefix == "gi_" else prefix + "await")
        elif name in ("async_generator_asend", "async_generator_athrow", "coroutine_wrapper", "anext_awaitable"):
            obj = awaited(obj)
        elif name == "FutureIter":
            end = awaited(obj)
            obj = None
        else:
            end, obj = obj, None
    return {"frames": frames, "end": id(end) if end is not None else 0}


def run_loop():
    asyncio.set_event_loop(LOOP)
    LOOP.run_forever()


async def main_task(coros):
    for coro in coros.values():
        KEEP.append(LOOP.create_task(coro))


def install_finder():
    """An editable install as setuptools makes it; another one is a folder behind site-packages."""
    module = type(sys)("__editable___truth_0_1_finder")
    exec("class _EditableFinder: pass", module.__dict__)
    module.MAPPING = {"truth": "/srv/truth"}
    sys.modules[module.__name__] = module
    sys.meta_path.append(module._EditableFinder)
    sys.path.extend(["/nowhere/site-packages", "/srv/other"])


OWN_FOLDERS = [sys.path[0], "/srv/other", "/srv/truth"]
install_finder()


def stacks():
    names = {t.ident: t.name for t in threading.enumerate()}
    result = {}
    for ident, frame in sys._current_frames().items():
        rows = []
        while frame is not None:
            rows.append([frame.f_code.co_name, frame.f_lineno, frame.f_lasti])
            frame = frame.f_back
        result[names.get(ident, str(ident))] = rows
    return result


def report():
    before = None
    while True:
        time.sleep(0.3)
        now = stacks()
        now.pop("reporter")
        if now == before and len(now) >= len(THREADS) + 3:
            break
        before = now
    threads = {name: {"frames": frames, "held": HELD.get(name), "pending": PENDING.get(name)} for name, frames in now.items()}
    idents = {t.name: t.ident for t in threading.enumerate()}
    for name in threads:
        threads[name]["ident"] = idents[name]
    coroutines = {name: dict(chain(coro), address=id(coro)) for name, coro in COROS.items()}
    print(json.dumps({"pid": os.getpid(), "version": sys.version.split()[0], "hexversion": sys.hexversion, "threads": threads,
                      "stdlib": os.path.dirname(os.__file__), "own_folders": OWN_FOLDERS, "prefix": sys.prefix,
                      "coroutines": coroutines}), flush=True)
    threading.Event().wait()


@coroutine
async def never_started():
    await leaf()


NOT_STARTED = COROUTINES.pop("never_started")()
COROS = {}
if __name__ == "__main__":
    for started in THREADS.values():
        started.start()
    KEEP.append(POOL.submit(executor_job))
    looper = threading.Thread(target=run_loop, name="looper", daemon=True)
    looper.start()
    COROS = {name: function() for name, function in COROUTINES.items()}
    asyncio.run_coroutine_threadsafe(main_task(COROS), LOOP).result(60)
    COROS["never_started"] = NOT_STARTED
    threading.Thread(target=report, name="reporter", daemon=True).start()
    sys.stdin.readline()
    for kept in KEEP:
        if isinstance(kept, subprocess.Popen):
            kept.kill()
    sys.stdout.flush()
    os._exit(0)

/*
 * Frames of threads that mean a wait. Names are those of Lib/ in CPython 3.8 - 3.15; every row
 * names its file.
 */
#include "read/python/waits/wait_table.h"

#include "read/python/reader/known_class.h"

/* clang-format off */

#define IN LK_TAG_INNERMOST
#define THREADING "/threading.py"
#define QUEUE "/queue.py"
#define CF_BASE "/concurrent/futures/_base.py"
#define CF_THREAD "/concurrent/futures/thread.py"
#define IMPORTLIB "importlib._bootstrap>"
#define SUBPROCESS "/subprocess.py"
#define GRPC "/grpc/_channel.py"
#define MP_POOL "/multiprocessing/pool.py"

const struct lk_wait_row lk_thread_wait_rows[] = {
    /* Lib/threading.py. Condition.wait blocks in a private lock's acquire, so it is the innermost Python frame. */
    { "wait", THREADING, "self", LK_CLASS_CONDITION, LK_HOW_OBJECT, LK_WAIT_CONDITION, LK_TAG_CONDITION, IN, "Condition.wait()", 0 },
    { "wait_for", THREADING, "self", LK_CLASS_CONDITION, LK_HOW_KEEP, LK_WAIT_CONDITION, LK_TAG_CONDITION, LK_TAG_CONDITION, "Condition.wait_for()", 0 },
    { "_acquire_restore", THREADING, "self", LK_CLASS_CONDITION, LK_HOW_INNER_LOCK, LK_WAIT_LOCK, LK_TAG_LOCK, IN, "Condition.wait()", 0 },
    { "__enter__", THREADING, "self", LK_CLASS_CONDITION, LK_HOW_INNER_LOCK, LK_WAIT_LOCK, LK_TAG_LOCK, IN, "a with statement", LK_WAIT_BY_WITH },
    /* the RLock that is written in Python */
    { "acquire", THREADING, "self", LK_CLASS_PYRLOCK, LK_HOW_OBJECT, LK_WAIT_LOCK, LK_TAG_LOCK, IN, "RLock.acquire()", 0 },
    { "wait", THREADING, "self", LK_CLASS_EVENT, LK_HOW_OBJECT, LK_WAIT_EVENT, LK_TAG_EVENT, LK_TAG_CONDITION, "Event.wait()", 0 },
    { "acquire", THREADING, "self", LK_CLASS_SEMAPHORE, LK_HOW_OBJECT, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, LK_TAG_CONDITION, "Semaphore.acquire()", 0 },
    { "_wait", THREADING, "self", LK_CLASS_BARRIER, LK_HOW_OBJECT, LK_WAIT_BARRIER, LK_TAG_BARRIER, LK_TAG_CONDITION, "Barrier.wait()", 0 },
    { "_enter", THREADING, "self", LK_CLASS_BARRIER, LK_HOW_OBJECT, LK_WAIT_BARRIER, LK_TAG_BARRIER, LK_TAG_CONDITION, "Barrier.wait()", 0 },
    { "wait", THREADING, "self", LK_CLASS_BARRIER, LK_HOW_KEEP, LK_WAIT_BARRIER, LK_TAG_BARRIER, LK_TAG_BARRIER, "Barrier.wait()", 0 },
    /* Thread.join: a lock up to 3.12, a C method of the thread's handle from 3.13. */
    { "_wait_for_tstate_lock", THREADING, "self", LK_CLASS_THREAD, LK_HOW_JOIN, LK_WAIT_JOIN, LK_TAG_JOIN, IN, "Thread.join()", 0 },
    { "join", THREADING, "self", LK_CLASS_THREAD, LK_HOW_JOIN, LK_WAIT_JOIN, LK_TAG_JOIN, IN | LK_TAG_JOIN, "Thread.join()", 0 },
    { "_shutdown", THREADING, NULL, LK_CLASS_OTHER, LK_HOW_JOIN_ALL, LK_WAIT_JOIN, LK_TAG_EXIT, IN | LK_TAG_JOIN | LK_TAG_EXIT, "interpreter exit", 0 },
    /* Lib/queue.py */
    { "get", QUEUE, "self", LK_CLASS_QUEUE, LK_HOW_OBJECT, LK_WAIT_QUEUE_GET, LK_TAG_QUEUE, LK_TAG_CONDITION, "Queue.get()", 0 },
    { "put", QUEUE, "self", LK_CLASS_QUEUE, LK_HOW_OBJECT, LK_WAIT_QUEUE_PUT, LK_TAG_QUEUE, LK_TAG_CONDITION, "Queue.put()", 0 },
    { "join", QUEUE, "self", LK_CLASS_QUEUE, LK_HOW_OBJECT, LK_WAIT_QUEUE_JOIN, LK_TAG_QUEUE, LK_TAG_CONDITION, "Queue.join()", 0 },
    { "get", QUEUE, "self", LK_CLASS_PY_SIMPLE_QUEUE, LK_HOW_OBJECT, LK_WAIT_QUEUE_GET, LK_TAG_QUEUE, LK_TAG_SEMAPHORE, "SimpleQueue.get()", 0 },
    /* Lib/concurrent/futures */
    { "result", CF_BASE, "self", LK_CLASS_CFUTURE, LK_HOW_FUTURE, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_CONDITION, "Future.result()", 0 },
    { "exception", CF_BASE, "self", LK_CLASS_CFUTURE, LK_HOW_FUTURE, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_CONDITION, "Future.exception()", 0 },
    { "_result_or_cancel", CF_BASE, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_FUTURE, "Executor.map()", 0 },
    { "result_iterator", CF_BASE, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_FUTURE, "Executor.map()", 0 },
    { "wait", CF_BASE, "fs", LK_CLASS_OTHER, LK_HOW_FUTURES, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_EVENT, "concurrent.futures.wait()", 0 },
    { "as_completed", CF_BASE, "fs", LK_CLASS_OTHER, LK_HOW_ANY_FUTURE, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_EVENT, "concurrent.futures.as_completed()", 0 },
    { "shutdown", CF_THREAD, "self", LK_CLASS_POOL, LK_HOW_JOIN_WORKERS, LK_WAIT_JOIN, LK_TAG_SHUTDOWN, LK_TAG_JOIN, "Executor.shutdown()", 0 },
    { "__exit__", CF_BASE, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_JOIN, LK_TAG_SHUTDOWN, LK_TAG_SHUTDOWN, "leaving with executor", 0 },
    { "_python_exit", CF_THREAD, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_JOIN, LK_TAG_EXIT, LK_TAG_JOIN, "interpreter exit", 0 },
    { "_worker", CF_THREAD, NULL, LK_CLASS_OTHER, LK_HOW_WORKER, LK_WAIT_EXECUTOR_IDLE, 0, IN, "executor worker", 0 },
    /* Lib/multiprocessing/pool.py */
    { "wait", MP_POOL, "self", LK_CLASS_POOL_RESULT, LK_HOW_FUTURE, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_EVENT, "AsyncResult.wait()", 0 },
    { "get", MP_POOL, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_FUTURE, "AsyncResult.get()", 0 },
    { "apply", MP_POOL, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_FUTURE, "Pool.apply()", 0 },
    { "map", MP_POOL, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_FUTURE, "Pool.map()", 0 },
    { "starmap", MP_POOL, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_FUTURE, "Pool.starmap()", 0 },
    /* asgiref/current_thread_executor.py: idles in a queue until the future's own callback puts it there. */
    { "run_until_future", "/asgiref/current_thread_executor.py", "future", LK_CLASS_CFUTURE, LK_HOW_FUTURE_OR_ITEM, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_QUEUE | LK_TAG_CONDITION,
      "CurrentThreadExecutor.run_until_future()", 0 },
    /* Lib/importlib/_bootstrap.py */
    { "acquire", IMPORTLIB, "self", LK_CLASS_MODULE_LOCK, LK_HOW_MODULE_LOCK, LK_WAIT_IMPORT, LK_TAG_IMPORT, IN, "import", 0 },
    { NULL, IMPORTLIB, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_IMPORT, LK_TAG_IMPORT, LK_TAG_IMPORT, "import", 0 },
    /* eventlet 0.30 - 0.41: every wait of a greenlet is a switch to the hub */
    { "switch", "eventlet/hubs/hub.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_LOCK, IN, IN, "hub.switch()", 0 },
    { "acquire", "eventlet/semaphore.py", "self", LK_CLASS_GREEN_LOCK, LK_HOW_OBJECT, LK_WAIT_LOCK, IN, IN, "Lock.acquire()", 0 },
    { "__enter__", "eventlet/semaphore.py", "self", LK_CLASS_GREEN_LOCK, LK_HOW_KEEP, LK_WAIT_LOCK, IN, IN, "a with statement", LK_WAIT_BY_WITH },
    { "do_poll", "eventlet/hubs/epolls.py", NULL, LK_CLASS_OTHER, LK_HOW_IDLE, LK_WAIT_SELECTOR, LK_TAG_SELECT, IN, "hub idle", 0 },
    { "do_poll", "eventlet/hubs/poll.py", NULL, LK_CLASS_OTHER, LK_HOW_IDLE, LK_WAIT_SELECTOR, LK_TAG_SELECT, IN, "hub idle", 0 },
    { "wait", "eventlet/hubs/poll.py", NULL, LK_CLASS_OTHER, LK_HOW_IDLE, LK_WAIT_SELECTOR, LK_TAG_SELECT, IN, "hub idle", 0 },
    { "wait", "eventlet/hubs/selects.py", NULL, LK_CLASS_OTHER, LK_HOW_IDLE, LK_WAIT_SELECTOR, LK_TAG_SELECT, IN, "hub idle", 0 },
    { "tworker", "eventlet/tpool.py", NULL, LK_CLASS_OTHER, LK_HOW_IDLE, LK_WAIT_EXECUTOR_IDLE, 0, LK_TAG_QUEUE, "pool worker", 0 },
    /* gevent 21 - 26: patched locks, which greenlets wait for; the hub, and idle threads of its pool */
    { "acquire", "gevent/thread.py", "self", LK_CLASS_GREEN_LOCK, LK_HOW_OBJECT, LK_WAIT_LOCK, IN, IN, "Lock.acquire()", 0 },
    { "__enter__", "gevent/thread.py", "self", LK_CLASS_GREEN_LOCK, LK_HOW_KEEP, LK_WAIT_LOCK, IN, IN, "a with statement", LK_WAIT_BY_WITH },
    { "acquire", "gevent/lock.py", "self", LK_CLASS_GREEN_RLOCK, LK_HOW_OBJECT, LK_WAIT_LOCK, LK_TAG_LOCK, IN, "RLock.acquire()", 0 },
    { "__enter__", "gevent/lock.py", "self", LK_CLASS_GREEN_RLOCK, LK_HOW_KEEP, LK_WAIT_LOCK, LK_TAG_LOCK, LK_TAG_LOCK, "a with statement", LK_WAIT_BY_WITH },
    { "acquire", "gevent/lock.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_LOCK, IN, IN, "Lock.acquire()", 0 },
    /* not compiled (PURE_PYTHON) */
    { NULL, "gevent/_abstract_linkable.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_LOCK, IN, IN, "Lock.acquire()", 0 },
    { NULL, "gevent/_greenlet_primitives.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_LOCK, IN, IN, "hub.switch()", 0 },
    { NULL, "gevent/_semaphore.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_LOCK, IN, IN, "Lock.acquire()", 0 },
    { "run", "gevent/hub.py", NULL, LK_CLASS_OTHER, LK_HOW_IDLE, LK_WAIT_SELECTOR, 0, IN | LK_TAG_SELECT, "hub idle", 0 },
    { "run", "gevent/libuv/loop.py", NULL, LK_CLASS_OTHER, LK_HOW_IDLE, LK_WAIT_SELECTOR, LK_TAG_SELECT, IN, "hub idle", 0 },
    { "run", "gevent/libev/corecffi.py", NULL, LK_CLASS_OTHER, LK_HOW_IDLE, LK_WAIT_SELECTOR, LK_TAG_SELECT, IN, "hub idle", 0 },
    { "run", "gevent/_ffi/loop.py", NULL, LK_CLASS_OTHER, LK_HOW_IDLE, LK_WAIT_SELECTOR, LK_TAG_SELECT, IN, "hub idle", 0 },
    { "acquire_with_timeout", "gevent/_threading.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CONDITION, LK_TAG_CONDITION | IN, IN, "Condition.wait()", 0 },
    { "wait", "gevent/_threading.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CONDITION, LK_TAG_CONDITION, IN, "Condition.wait()", 0 },
    { "get", "gevent/_threading.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_QUEUE_GET, LK_TAG_QUEUE, LK_TAG_CONDITION, "Queue.get()", 0 },
    { "run", "gevent/threadpool.py", NULL, LK_CLASS_OTHER, LK_HOW_IDLE, LK_WAIT_EXECUTOR_IDLE, 0, LK_TAG_QUEUE, "pool worker", 0 },
    /* Lib/selectors.py and who calls it */
    { "select", "/selectors.py", NULL, LK_CLASS_OTHER, LK_HOW_SELECT, LK_WAIT_IO, LK_TAG_SELECT, IN | LK_TAG_SELECT, "selector.select()", 0 },
    { "_select", "/selectors.py", NULL, LK_CLASS_OTHER, LK_HOW_SELECT, LK_WAIT_IO, LK_TAG_SELECT, IN, "selector.select()", 0 },
    { "_run_once", ".py", "self", LK_CLASS_LOOP, LK_HOW_LOOP, LK_WAIT_SELECTOR, 0, LK_TAG_SELECT, "loop idle", 0 },
    /* trio 0.22 - 0.35 */
    { "get_events", "/trio/_core/_io_epoll.py", NULL, LK_CLASS_OTHER, LK_HOW_SELECT, LK_WAIT_IO, LK_TAG_SELECT, IN, "selector.select()", 0 },
    { "run", "/trio/_core/_run.py", "runner", LK_CLASS_LOOP, LK_HOW_LOOP, LK_WAIT_SELECTOR, 0, LK_TAG_SELECT, "loop idle", 0 },
    { "_send_message_to_trio", "/trio/_threads.py", "message_to_trio", LK_CLASS_OTHER, LK_HOW_NOTED, LK_WAIT_FUTURE, LK_TAG_FUTURE, IN | LK_TAG_QUEUE, "trio.from_thread.run()", 0 },
    { "_run_fn_as_system_task", "/trio/_threads.py", "q", LK_CLASS_OTHER, LK_HOW_NOTED, LK_WAIT_FUTURE, LK_TAG_FUTURE, IN | LK_TAG_QUEUE, "trio.from_thread.run()", 0 },
    { "from_thread_run", "/trio/_threads.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_FUTURE, "trio.from_thread.run()", 0 },
    { "from_thread_run_sync", "/trio/_threads.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_FUTURE, "trio.from_thread.run_sync()", 0 },
    /* Twisted 22.4 - 26.10 */
    { "doPoll", "/twisted/internet/epollreactor.py", NULL, LK_CLASS_OTHER, LK_HOW_SELECT, LK_WAIT_IO, LK_TAG_SELECT, IN, "selector.select()", 0 },
    { "doPoll", "/twisted/internet/pollreactor.py", NULL, LK_CLASS_OTHER, LK_HOW_SELECT, LK_WAIT_IO, LK_TAG_SELECT, IN, "selector.select()", 0 },
    { "doSelect", "/twisted/internet/selectreactor.py", NULL, LK_CLASS_OTHER, LK_HOW_SELECT, LK_WAIT_IO, LK_TAG_SELECT, IN, "selector.select()", 0 },
    { "mainLoop", "/twisted/internet/base.py", "self", LK_CLASS_LOOP, LK_HOW_LOOP, LK_WAIT_SELECTOR, 0, LK_TAG_SELECT, "loop idle", 0 },
    { "blockingCallFromThread", "/twisted/internet/threads.py", "queue", LK_CLASS_OTHER, LK_HOW_NOTED, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_QUEUE, "blockingCallFromThread()", 0 },
    { "serve_forever", "/socketserver.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_IO, LK_TAG_IO, LK_TAG_SELECT, "serve_forever()", LK_WAIT_LISTENS },
    /* Lib/subprocess.py */
    { "_try_wait", SUBPROCESS, "self", LK_CLASS_OTHER, LK_HOW_CHILD, LK_WAIT_CHILD, LK_TAG_CHILD, IN, "Popen.wait()", 0 },
    /* from 3.15: waiting with a timeout polls a pidfd, communicate() selects in a function of its own */
    { "_wait_pidfd", SUBPROCESS, "self", LK_CLASS_OTHER, LK_HOW_CHILD, LK_WAIT_CHILD, LK_TAG_CHILD, IN, "Popen.wait()", 0 },
    { "_communicate_io_posix", SUBPROCESS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CHILD, LK_TAG_SELECT, LK_TAG_SELECT, "Popen.communicate()", 0 },
    { "_wait", SUBPROCESS, "self", LK_CLASS_OTHER, LK_HOW_CHILD, LK_WAIT_CHILD, LK_TAG_CHILD, IN | LK_TAG_CHILD, "Popen.wait()", 0 },
    { "_communicate", SUBPROCESS, "self", LK_CLASS_OTHER, LK_HOW_CHILD, LK_WAIT_CHILD, LK_TAG_CHILD, IN | LK_TAG_SELECT | LK_TAG_CHILD, "Popen.communicate()", 0 },
    { "communicate", SUBPROCESS, "self", LK_CLASS_OTHER, LK_HOW_CHILD, LK_WAIT_CHILD, LK_TAG_CHILD, IN | LK_TAG_CHILD, "Popen.communicate()", 0 },
    { "wait", SUBPROCESS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CHILD, LK_TAG_CHILD, LK_TAG_CHILD, "Popen.wait()", 0 },
    { "run", SUBPROCESS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CHILD, LK_TAG_CHILD, LK_TAG_CHILD, "subprocess.run()", 0 },
    { "call", SUBPROCESS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CHILD, LK_TAG_CHILD, LK_TAG_CHILD, "subprocess.call()", 0 },
    { "check_call", SUBPROCESS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CHILD, LK_TAG_CHILD, LK_TAG_CHILD, "subprocess.check_call()", 0 },
    { "check_output", SUBPROCESS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CHILD, LK_TAG_CHILD, LK_TAG_CHILD, "subprocess.check_output()", 0 },
    /* grpc/_channel.py, 1.60 - 1.73: a unary call without a callback; cygrpc looks for its end five times a second. */
    { "_blocking", GRPC, "self", LK_CLASS_OTHER, LK_HOW_REMOTE, LK_WAIT_IO, LK_TAG_IO, IN, "a gRPC call", LK_WAIT_POLLS },
    { "__call__", GRPC, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_IO, LK_TAG_IO, LK_TAG_IO, "a gRPC call", LK_WAIT_POLLS },
    { "with_call", GRPC, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_IO, LK_TAG_IO, LK_TAG_IO, "a gRPC call", LK_WAIT_POLLS },
    /* Lib/multiprocessing */
    { "poll", "/multiprocessing/popen_fork.py", "self", LK_CLASS_OTHER, LK_HOW_CHILD, LK_WAIT_CHILD, LK_TAG_CHILD, IN, "Process.join()", 0 },
    { "wait", "/multiprocessing/popen_fork.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CHILD, LK_TAG_CHILD, LK_TAG_CHILD, "Process.join()", 0 },
    { "join", "/multiprocessing/process.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CHILD, LK_TAG_CHILD, LK_TAG_CHILD, "Process.join()", 0 },
};
const size_t lk_n_thread_wait_rows = LK_ARRAY_LEN(lk_thread_wait_rows);

const struct lk_poll_row lk_poll_rows[] = {
    /* psycopg 3.2 and later: an interval of 0.1 s, so that Ctrl-C is heard */
    { "wait", "psycopg/connection.py", "timeout" },
};
const size_t lk_n_poll_rows = LK_ARRAY_LEN(lk_poll_rows);

#include "read/python/waits/wait_table.h"

/* clang-format off */

const struct lk_class_row lk_class_rows[] = {
    { "asyncio.events", "AbstractEventLoop", LK_CLASS_LOOP, NULL },
    { "_asyncio", "Task", LK_CLASS_TASK, NULL },
    { "asyncio.tasks", "Task", LK_CLASS_PYTASK, NULL },
    { "asyncio.tasks", "_GatheringFuture", LK_CLASS_GATHER, NULL },
    { "_asyncio", "Future", LK_CLASS_FUTURE, NULL },
    { "asyncio.futures", "Future", LK_CLASS_PYFUTURE, NULL },
    { "asyncio.taskgroups", "TaskGroup", LK_CLASS_TASK_GROUP, NULL },
    { "asyncio.timeouts", "Timeout", LK_CLASS_TIMEOUT, NULL },
    { "async_timeout", "Timeout", LK_CLASS_TIMEOUT, NULL },
    { "asyncio.tasks", "_AsCompletedIterator", LK_CLASS_AS_COMPLETED, NULL },
    { "concurrent.futures._base", "Future", LK_CLASS_CFUTURE, NULL },
    { "concurrent.futures.thread", "ThreadPoolExecutor", LK_CLASS_POOL, "ThreadPoolExecutor" },
    { "concurrent.futures.process", "ProcessPoolExecutor", LK_CLASS_PROCESS_POOL, "ProcessPoolExecutor" },
    { "asgiref.current_thread_executor", "CurrentThreadExecutor", LK_CLASS_CURRENT_THREAD_EXECUTOR, "CurrentThreadExecutor" },
    { "concurrent.futures.thread", "_WorkItem", LK_CLASS_WORK_ITEM, NULL },
    { "asgiref.current_thread_executor", "_WorkItem", LK_CLASS_WORK_ITEM, NULL },
    { "threading", "Thread", LK_CLASS_THREAD, NULL },
    { "_thread", "lock", LK_CLASS_LOCK, "threading.Lock" },
    { "_thread", "RLock", LK_CLASS_RLOCK, "threading.RLock" },
    { "threading", "_RLock", LK_CLASS_PYRLOCK, "threading.RLock" },
    { "importlib._bootstrap", "_ModuleLock", LK_CLASS_MODULE_LOCK, "import lock" },
    { "_frozen_importlib", "_ModuleLock", LK_CLASS_MODULE_LOCK, "import lock" },
    { "_multiprocessing", "SemLock", LK_CLASS_SEMLOCK, "multiprocessing semaphore" },
    { "threading", "Condition", LK_CLASS_CONDITION, "threading.Condition" },
    { "threading", "Event", LK_CLASS_EVENT, "threading.Event" },
    { "threading", "BoundedSemaphore", LK_CLASS_SEMAPHORE, "threading.BoundedSemaphore" },
    { "threading", "Semaphore", LK_CLASS_SEMAPHORE, "threading.Semaphore" },
    { "threading", "Barrier", LK_CLASS_BARRIER, "threading.Barrier" },
    { "queue", "Queue", LK_CLASS_QUEUE, "queue.Queue" },
    { "_queue", "SimpleQueue", LK_CLASS_SIMPLE_QUEUE, "queue.SimpleQueue" },
    { "queue", "_PySimpleQueue", LK_CLASS_PY_SIMPLE_QUEUE, "queue.SimpleQueue" },
    { "asyncio.locks", "Lock", LK_CLASS_AIO_LOCK, "asyncio.Lock" },
    { "asyncio.locks", "Condition", LK_CLASS_AIO_CONDITION, "asyncio.Condition" },
    { "asyncio.locks", "Event", LK_CLASS_AIO_EVENT, "asyncio.Event" },
    { "asyncio.locks", "BoundedSemaphore", LK_CLASS_AIO_SEMAPHORE, "asyncio.BoundedSemaphore" },
    { "asyncio.locks", "Semaphore", LK_CLASS_AIO_SEMAPHORE, "asyncio.Semaphore" },
    { "asyncio.locks", "Barrier", LK_CLASS_AIO_BARRIER, "asyncio.Barrier" },
    { "asyncio.queues", "Queue", LK_CLASS_AIO_QUEUE, "asyncio.Queue" },
    { "contextlib", "_GeneratorContextManager", LK_CLASS_GENERATOR_CM, NULL },
    { "contextlib", "_AsyncGeneratorContextManager", LK_CLASS_GENERATOR_CM, NULL },
    { "contextlib", "ExitStack", LK_CLASS_EXIT_STACK, NULL },
    { "contextlib", "AsyncExitStack", LK_CLASS_EXIT_STACK, NULL },
};
const size_t lk_n_class_rows = LK_ARRAY_LEN(lk_class_rows);

#define IN LK_TAG_INNERMOST
#define THREADING "/threading.py"
#define QUEUE "/queue.py"
#define CF_BASE "/concurrent/futures/_base.py"
#define CF_THREAD "/concurrent/futures/thread.py"
#define IMPORTLIB "importlib._bootstrap>"
#define SUBPROCESS "/subprocess.py"

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
    /* asgiref/current_thread_executor.py: idles in a queue until the future's own callback puts it there. */
    { "run_until_future", "/asgiref/current_thread_executor.py", "future", LK_CLASS_CFUTURE, LK_HOW_FUTURE_OR_ITEM, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_QUEUE,
      "CurrentThreadExecutor.run_until_future()", 0 },
    /* Lib/importlib/_bootstrap.py */
    { "acquire", IMPORTLIB, "self", LK_CLASS_MODULE_LOCK, LK_HOW_MODULE_LOCK, LK_WAIT_IMPORT, LK_TAG_IMPORT, IN, "import", 0 },
    { NULL, IMPORTLIB, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_IMPORT, LK_TAG_IMPORT, LK_TAG_IMPORT, "import", 0 },
    /* Lib/selectors.py and who calls it */
    { "select", "/selectors.py", NULL, LK_CLASS_OTHER, LK_HOW_SELECT, LK_WAIT_IO, LK_TAG_SELECT, IN | LK_TAG_SELECT, "selector.select()", 0 },
    { "_select", "/selectors.py", NULL, LK_CLASS_OTHER, LK_HOW_SELECT, LK_WAIT_IO, LK_TAG_SELECT, IN, "selector.select()", 0 },
    { "_run_once", ".py", "self", LK_CLASS_LOOP, LK_HOW_LOOP, LK_WAIT_SELECTOR, 0, LK_TAG_SELECT, "loop idle", 0 },
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
    /* Lib/multiprocessing */
    { "poll", "/multiprocessing/popen_fork.py", "self", LK_CLASS_OTHER, LK_HOW_CHILD, LK_WAIT_CHILD, LK_TAG_CHILD, IN, "Process.join()", 0 },
    { "wait", "/multiprocessing/popen_fork.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CHILD, LK_TAG_CHILD, LK_TAG_CHILD, "Process.join()", 0 },
    { "join", "/multiprocessing/process.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CHILD, LK_TAG_CHILD, LK_TAG_CHILD, "Process.join()", 0 },
};
const size_t lk_n_thread_wait_rows = LK_ARRAY_LEN(lk_thread_wait_rows);

#define LOCKS "/asyncio/locks.py"
#define QUEUES "/asyncio/queues.py"
#define TASKS "/asyncio/tasks.py"
#define STREAMS "/asyncio/streams.py"
#define SELECTOR_EVENTS "/asyncio/selector_events.py"

const struct lk_wait_row lk_task_wait_rows[] = {
    { "acquire", LOCKS, "self", LK_CLASS_AIO_LOCK, LK_HOW_OBJECT, LK_WAIT_LOCK, LK_TAG_LOCK, IN, "asyncio.Lock.acquire()", 0 },
    { "acquire", LOCKS, "self", LK_CLASS_AIO_SEMAPHORE, LK_HOW_OBJECT, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, IN, "asyncio.Semaphore.acquire()", 0 },
    { "__aenter__", LOCKS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_LOCK, LK_TAG_LOCK, LK_TAG_LOCK, "async with asyncio.Lock", 0 },
    { "__aenter__", LOCKS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, LK_TAG_SEMAPHORE, "async with asyncio.Semaphore", 0 },
    /* up to 3.8 `async with` goes through a helper */
    { "__acquire_ctx", LOCKS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_LOCK, LK_TAG_LOCK, LK_TAG_LOCK, "async with asyncio.Lock", 0 },
    { "wait", LOCKS, "self", LK_CLASS_AIO_EVENT, LK_HOW_OBJECT, LK_WAIT_EVENT, LK_TAG_EVENT, IN, "asyncio.Event.wait()", 0 },
    { "wait", LOCKS, "self", LK_CLASS_AIO_CONDITION, LK_HOW_OBJECT, LK_WAIT_CONDITION, LK_TAG_CONDITION, IN, "asyncio.Condition.wait()", 0 },
    { "wait_for", LOCKS, "self", LK_CLASS_AIO_CONDITION, LK_HOW_KEEP, LK_WAIT_CONDITION, LK_TAG_CONDITION, LK_TAG_CONDITION, "asyncio.Condition.wait_for()", 0 },
    { "_wait", LOCKS, "self", LK_CLASS_AIO_BARRIER, LK_HOW_OBJECT, LK_WAIT_BARRIER, LK_TAG_BARRIER, LK_TAG_CONDITION, "asyncio.Barrier.wait()", 0 },
    { "_block", LOCKS, "self", LK_CLASS_AIO_BARRIER, LK_HOW_OBJECT, LK_WAIT_BARRIER, LK_TAG_BARRIER, LK_TAG_CONDITION, "asyncio.Barrier.wait()", 0 },
    { "wait", LOCKS, "self", LK_CLASS_AIO_BARRIER, LK_HOW_KEEP, LK_WAIT_BARRIER, LK_TAG_BARRIER, LK_TAG_BARRIER, "asyncio.Barrier.wait()", 0 },
    { "get", QUEUES, "self", LK_CLASS_AIO_QUEUE, LK_HOW_OBJECT, LK_WAIT_QUEUE_GET, LK_TAG_QUEUE, IN, "asyncio.Queue.get()", 0 },
    { "put", QUEUES, "self", LK_CLASS_AIO_QUEUE, LK_HOW_OBJECT, LK_WAIT_QUEUE_PUT, LK_TAG_QUEUE, IN, "asyncio.Queue.put()", 0 },
    { "join", QUEUES, "self", LK_CLASS_AIO_QUEUE, LK_HOW_OBJECT, LK_WAIT_QUEUE_JOIN, LK_TAG_QUEUE, LK_TAG_EVENT, "asyncio.Queue.join()", 0 },
    { "sleep", TASKS, NULL, LK_CLASS_OTHER, LK_HOW_SLEEP, LK_WAIT_SLEEP, 0, IN, "asyncio.sleep()", 0 },
    { "_wait", TASKS, "fs", LK_CLASS_OTHER, LK_HOW_FUTURES, LK_WAIT_FUTURE, LK_TAG_FUTURE, IN, "asyncio.wait()", LK_WAIT_SHIELDS },
    { "wait", TASKS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_FUTURE, "asyncio.wait()", LK_WAIT_SHIELDS },
    { "wait_for", TASKS, "fut", LK_CLASS_OTHER, LK_HOW_FUTURE, LK_WAIT_FUTURE, 0, IN, "asyncio.wait_for()", 0 },
    { "_wait_for_one", TASKS, NULL, LK_CLASS_OTHER, LK_HOW_AS_COMPLETED, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_QUEUE, "asyncio.as_completed()", 0 },
    { "__anext__", TASKS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_FUTURE, "asyncio.as_completed()", 0 },
    { "__aexit__", "/asyncio/taskgroups.py", "self", LK_CLASS_TASK_GROUP, LK_HOW_GROUP, LK_WAIT_FUTURE, LK_TAG_FUTURE, IN | LK_TAG_FUTURE, "leaving asyncio.TaskGroup", 0 },
    { "_aexit", "/asyncio/taskgroups.py", "self", LK_CLASS_TASK_GROUP, LK_HOW_GROUP, LK_WAIT_FUTURE, LK_TAG_FUTURE, IN, "leaving asyncio.TaskGroup", 0 },
    { "_wait_for_data", STREAMS, "self", LK_CLASS_OTHER, LK_HOW_TRANSPORT, LK_WAIT_IO, LK_TAG_IO, IN, "StreamReader.read()", 0 },
    { "_drain_helper", STREAMS, "self", LK_CLASS_OTHER, LK_HOW_TRANSPORT, LK_WAIT_IO, LK_TAG_IO, IN, "StreamWriter.drain()", 0 },
    { "drain", STREAMS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_IO, LK_TAG_IO, LK_TAG_IO, "StreamWriter.drain()", 0 },
    { NULL, STREAMS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_IO, LK_TAG_IO, LK_TAG_IO, "StreamReader.read()", 0 },
    { "sock_recv", SELECTOR_EVENTS, "sock", LK_CLASS_OTHER, LK_HOW_SOCKET, LK_WAIT_IO, LK_TAG_IO, IN, "loop.sock_recv()", 0 },
    { "sock_recv_into", SELECTOR_EVENTS, "sock", LK_CLASS_OTHER, LK_HOW_SOCKET, LK_WAIT_IO, LK_TAG_IO, IN, "loop.sock_recv_into()", 0 },
    { "sock_recvfrom", SELECTOR_EVENTS, "sock", LK_CLASS_OTHER, LK_HOW_SOCKET, LK_WAIT_IO, LK_TAG_IO, IN, "loop.sock_recvfrom()", 0 },
    { "sock_accept", SELECTOR_EVENTS, "sock", LK_CLASS_OTHER, LK_HOW_SOCKET, LK_WAIT_IO, LK_TAG_IO, IN, "loop.sock_accept()", LK_WAIT_LISTENS },
    { "sock_sendall", SELECTOR_EVENTS, "sock", LK_CLASS_OTHER, LK_HOW_SOCKET, LK_WAIT_IO, LK_TAG_IO, IN, "loop.sock_sendall()", 0 },
    { "sock_connect", SELECTOR_EVENTS, "sock", LK_CLASS_OTHER, LK_HOW_SOCKET, LK_WAIT_IO, LK_TAG_IO, IN, "loop.sock_connect()", 0 },
    { "_connect_sock", "/asyncio/base_events.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_IO, LK_TAG_IO, LK_TAG_IO, "loop.create_connection()", 0 },
    { "create_connection", "/asyncio/base_events.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_IO, LK_TAG_IO, LK_TAG_IO, "loop.create_connection()", 0 },
    { "serve_forever", "/asyncio/base_events.py", "self", LK_CLASS_OTHER, LK_HOW_SERVER, LK_WAIT_IO, LK_TAG_IO, IN, "Server.serve_forever()", LK_WAIT_LISTENS },
    { "_wait", "/asyncio/base_subprocess.py", "self", LK_CLASS_OTHER, LK_HOW_CHILD, LK_WAIT_CHILD, LK_TAG_CHILD, IN, "Process.wait()", 0 },
    { "wait", "/asyncio/subprocess.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_CHILD, LK_TAG_CHILD, LK_TAG_CHILD, "Process.wait()", 0 },
};
const size_t lk_n_task_wait_rows = LK_ARRAY_LEN(lk_task_wait_rows);

#define FUTURES "/asyncio/futures.py"

const struct lk_callback_row lk_callback_rows[] = {
    { "gather.<locals>._done_callback", TASKS, "outer", LK_CB_COMPLETES_WHEN_ALL, LK_ORIGIN_GATHER },
    /* all futures or one of them: its return_when says */
    { "_wait.<locals>._on_completion", TASKS, "waiter", LK_CB_COMPLETES_WHEN_ALL, LK_ORIGIN_WAIT },
    { "shield.<locals>._inner_done_callback", TASKS, "outer", LK_CB_COMPLETES, LK_ORIGIN_SHIELD },
    { "shield.<locals>._outer_done_callback", TASKS, NULL, LK_CB_NOTHING, LK_ORIGIN_UNKNOWN },
    { "as_completed.<locals>._on_completion", TASKS, "done", LK_CB_COMPLETES, LK_ORIGIN_AS_COMPLETED },
    { "_AsCompletedIterator._handle_completion", TASKS, "_done", LK_CB_COMPLETES, LK_ORIGIN_AS_COMPLETED },
    { "_release_waiter", TASKS, "0", LK_CB_COMPLETES, LK_ORIGIN_WAIT_FOR },
    { "TaskGroup._on_task_done", "/asyncio/taskgroups.py", "_on_completed_fut", LK_CB_COMPLETES_WHEN_ALL, LK_ORIGIN_TASK_GROUP },
    { "_chain_future.<locals>._call_set_state", FUTURES, "destination", LK_CB_COMPLETES, LK_ORIGIN_UNKNOWN },
    { "_chain_future.<locals>._call_check_cancel", FUTURES, "source", LK_CB_FOLLOWS, LK_ORIGIN_UNKNOWN },
    { "_chain_future.<locals>._set_state", FUTURES, "0", LK_CB_COMPLETES, LK_ORIGIN_UNKNOWN },
    { "_set_result_unless_cancelled", FUTURES, "0", LK_CB_COMPLETES, LK_ORIGIN_SLEEP },
    { "_run_until_complete_cb", "/asyncio/base_events.py", NULL, LK_CB_NOTHING, LK_ORIGIN_UNKNOWN },
};
const size_t lk_n_callback_rows = LK_ARRAY_LEN(lk_callback_rows);

const struct lk_setter_row lk_setter_rows[] = {
    { "run", CF_THREAD, "self", "future", true, LK_ORIGIN_EXECUTOR },
    { "run", "/asgiref/current_thread_executor.py", "self", "future", true, LK_ORIGIN_EXECUTOR },
    { "main_wrap", "/asgiref/sync.py", "call_result", NULL, false, LK_ORIGIN_ASYNC_TO_SYNC },
    { "_call_func", "/anyio/from_thread.py", "future", NULL, false, LK_ORIGIN_BLOCKING_PORTAL },
    { "_do_shutdown", "/asyncio/base_events.py", "future", NULL, false, LK_ORIGIN_SHUTDOWN_DEFAULT_EXECUTOR },
};
const size_t lk_n_setter_rows = LK_ARRAY_LEN(lk_setter_rows);

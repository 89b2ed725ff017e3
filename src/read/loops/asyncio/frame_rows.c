/*
 * What asyncio (Lib/asyncio of CPython 3.8 - 3.15) and the bridges to it look like from outside:
 * frames of coroutines that mean a wait, callbacks that complete a future, functions that set one.
 */
#include "read/loops/asyncio/frame_rows.h"

#include "read/python/reader/known_class.h"
#include "read/python/waits/wait_table.h"

/* clang-format off */

#define IN LK_TAG_INNERMOST
#define CF_THREAD "/concurrent/futures/thread.py"

#define LOCKS "/asyncio/locks.py"
#define QUEUES "/asyncio/queues.py"
#define ANYIO "/anyio/_backends/_asyncio.py"
#define TASKS "/asyncio/tasks.py"
#define STREAMS "/asyncio/streams.py"
#define SELECTOR_EVENTS "/asyncio/selector_events.py"

const struct lk_wait_row lk_task_wait_rows[] = {
    { "acquire", LOCKS, "self", LK_CLASS_AIO_LOCK, LK_HOW_OBJECT, LK_WAIT_LOCK, LK_TAG_LOCK, IN, "asyncio.Lock.acquire()", 0 },
    { "acquire", LOCKS, "self", LK_CLASS_AIO_SEMAPHORE, LK_HOW_OBJECT, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, IN, "asyncio.Semaphore.acquire()", 0 },
    { "acquire", "/anyio/_core/_synchronization.py", "self", LK_CLASS_ANYIO_LOCK, LK_HOW_OBJECT, LK_WAIT_LOCK, LK_TAG_LOCK, LK_TAG_EVENT, "anyio.Lock.acquire()", 0 },
    { "acquire", ANYIO, "self", LK_CLASS_ANYIO_LOCK, LK_HOW_OBJECT, LK_WAIT_LOCK, LK_TAG_LOCK, IN, "anyio.Lock.acquire()", 0 },
    { "__aenter__", "/anyio/_core/_synchronization.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_LOCK, LK_TAG_LOCK, LK_TAG_LOCK, "async with anyio.Lock", 0 },
    { "__aenter__", LOCKS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_LOCK, LK_TAG_LOCK, LK_TAG_LOCK, "async with asyncio.Lock", 0 },
    { "__aenter__", LOCKS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, LK_TAG_SEMAPHORE, "async with asyncio.Semaphore", 0 },
    { "acquire", ANYIO, "self", LK_CLASS_AIO_SEMAPHORE, LK_HOW_OBJECT, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, IN, "anyio.Semaphore.acquire()", 0 },
    { "acquire_on_behalf_of", ANYIO, "self", LK_CLASS_LIMITER, LK_HOW_OBJECT, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, LK_TAG_EVENT, "anyio.CapacityLimiter.acquire()", 0 },
    { "acquire", ANYIO, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, LK_TAG_SEMAPHORE, "anyio.CapacityLimiter.acquire()", 0 },
    { "__aenter__", ANYIO, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, LK_TAG_SEMAPHORE, "async with anyio.CapacityLimiter", 0 },
    { "__aenter__", "/anyio/_core/_synchronization.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, LK_TAG_SEMAPHORE, "async with anyio.Semaphore", 0 },
    /* up to 3.8 `async with` goes through a helper */
    { "__acquire_ctx", LOCKS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_LOCK, LK_TAG_LOCK, LK_TAG_LOCK, "async with asyncio.Lock", 0 },
    { "wait", LOCKS, "self", LK_CLASS_AIO_EVENT, LK_HOW_OBJECT, LK_WAIT_EVENT, LK_TAG_EVENT, IN, "asyncio.Event.wait()", 0 },
    { "wait", ANYIO, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_EVENT, LK_TAG_EVENT, LK_TAG_EVENT, "anyio.Event.wait()", 0 },
    { "wait", "/anyio/_core/_synchronization.py", NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_EVENT, LK_TAG_EVENT, LK_TAG_EVENT, "anyio.Event.wait()", 0 },
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
    { "__aexit__", "/asyncio/taskgroups.py", "self", LK_CLASS_TASK_GROUP, LK_HOW_GROUP, LK_WAIT_FUTURE, LK_TAG_FUTURE, IN | LK_TAG_FUTURE, "leaving asyncio.TaskGroup", LK_WAIT_FAILS_EARLY },
    { "_aexit", "/asyncio/taskgroups.py", "self", LK_CLASS_TASK_GROUP, LK_HOW_GROUP, LK_WAIT_FUTURE, LK_TAG_FUTURE, IN, "leaving asyncio.TaskGroup", LK_WAIT_FAILS_EARLY },
    /* up to anyio 4.8 it calls asyncio.wait() */
    { "__aexit__", ANYIO, "self", LK_CLASS_TASK_GROUP, LK_HOW_GROUP, LK_WAIT_FUTURE, LK_TAG_FUTURE, IN | LK_TAG_FUTURE, "leaving an anyio task group", LK_WAIT_FAILS_EARLY },
    { "_wait_for_data", STREAMS, "self", LK_CLASS_OTHER, LK_HOW_TRANSPORT, LK_WAIT_IO, LK_TAG_IO, IN, "StreamReader.read()", 0 },
    { "_drain_helper", STREAMS, "self", LK_CLASS_OTHER, LK_HOW_TRANSPORT, LK_WAIT_IO, LK_TAG_IO, IN, "StreamWriter.drain()", 0 },
    { "drain", STREAMS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_IO, LK_TAG_IO, LK_TAG_IO, "StreamWriter.drain()", 0 },
    { NULL, STREAMS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_IO, LK_TAG_IO, LK_TAG_IO, "StreamReader.read()", 0 },
    /* psycopg 3: the generator of a query yields when it would block */
    { "wait_async", "psycopg/waiting.py", "fileno", LK_CLASS_OTHER, LK_HOW_FD, LK_WAIT_IO, LK_TAG_IO, IN | LK_TAG_FUTURE | LK_TAG_EVENT, "psycopg's wait_async()", LK_WAIT_POLLS },
    /* grpc/aio/_call.py, 1.56 - 1.76: a call of one answer; its end, and its deadline, are C's */
    { "_invoke", "grpc/aio/_call.py", NULL, LK_CLASS_OTHER, LK_HOW_REMOTE, LK_WAIT_IO, LK_TAG_IO, IN, "a gRPC call", LK_WAIT_HIDES_DEADLINE },
    { "_conduct_rpc", "grpc/aio/_call.py", NULL, LK_CLASS_OTHER, LK_HOW_REMOTE, LK_WAIT_IO, LK_TAG_IO, IN, "a gRPC call", LK_WAIT_HIDES_DEADLINE },
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
    { "gather.<locals>._done_callback", TASKS, "outer", LK_CB_COMPLETES_WHEN_ALL, LK_ORIGIN_GATHER, false },
    /* all futures or one of them: its return_when says */
    { "_wait.<locals>._on_completion", TASKS, "waiter", LK_CB_COMPLETES_WHEN_ALL, LK_ORIGIN_WAIT, true },
    { "shield.<locals>._inner_done_callback", TASKS, "outer", LK_CB_COMPLETES, LK_ORIGIN_SHIELD, false },
    { "shield.<locals>._outer_done_callback", TASKS, NULL, LK_CB_NOTHING, LK_ORIGIN_UNKNOWN, false },
    { "as_completed.<locals>._on_completion", TASKS, "done", LK_CB_COMPLETES, LK_ORIGIN_AS_COMPLETED, false },
    { "_AsCompletedIterator._handle_completion", TASKS, "_done", LK_CB_COMPLETES, LK_ORIGIN_AS_COMPLETED, false },
    { "_release_waiter", TASKS, "0", LK_CB_COMPLETES, LK_ORIGIN_WAIT_FOR, true },
    { "TaskGroup._on_task_done", "/asyncio/taskgroups.py", "_on_completed_fut", LK_CB_COMPLETES_WHEN_ALL, LK_ORIGIN_TASK_GROUP, true },
    { "_chain_future.<locals>._call_set_state", FUTURES, "destination", LK_CB_COMPLETES, LK_ORIGIN_UNKNOWN, false },
    { "_chain_future.<locals>._call_check_cancel", FUTURES, "source", LK_CB_FOLLOWS, LK_ORIGIN_UNKNOWN, false },
    { "_chain_future.<locals>._set_state", FUTURES, "0", LK_CB_COMPLETES, LK_ORIGIN_UNKNOWN, false },
    { "_set_result_unless_cancelled", FUTURES, "0", LK_CB_COMPLETES, LK_ORIGIN_SLEEP, true },
    { "_run_until_complete_cb", "/asyncio/base_events.py", NULL, LK_CB_NOTHING, LK_ORIGIN_UNKNOWN, false },
    /* tornado 5.0 - 6.5: run_on_executor, chain_future */
    { "chain_future.<locals>.copy", "/tornado/concurrent.py", "b", LK_CB_COMPLETES, LK_ORIGIN_CHAIN, false },
    { "IOLoop.add_future.<locals>.<lambda>", "/tornado/ioloop.py", "callback", LK_CB_HANDS_ON, LK_ORIGIN_UNKNOWN, false },
};
const size_t lk_n_callback_rows = LK_ARRAY_LEN(lk_callback_rows);

const struct lk_setter_row lk_setter_rows[] = {
    { "run", CF_THREAD, "self", "future", true, LK_ORIGIN_EXECUTOR },
    { "run", "/asgiref/current_thread_executor.py", "self", "future", true, LK_ORIGIN_EXECUTOR },
    /* WorkerThread.run (anyio 3.0 - 4.16) reports to the loop by call_soon_threadsafe, and keeps the last item while it idles */
    { "run", ANYIO, "future", NULL, true, LK_ORIGIN_EXECUTOR },
    { "main_wrap", "/asgiref/sync.py", "call_result", NULL, false, LK_ORIGIN_ASYNC_TO_SYNC },
    { "_call_func", "/anyio/from_thread.py", "future", NULL, false, LK_ORIGIN_BLOCKING_PORTAL },
    { "_do_shutdown", "/asyncio/base_events.py", "future", NULL, false, LK_ORIGIN_SHUTDOWN_DEFAULT_EXECUTOR },
    /* up to 3.10 IsolatedAsyncioTestCase hands its coroutines to one task, and runs the loop for futures that this sets */
    { "_asyncioLoopRunner", "/unittest/async_case.py", "fut", NULL, false, LK_ORIGIN_UNKNOWN },
};
const size_t lk_n_setter_rows = LK_ARRAY_LEN(lk_setter_rows);

/* Frames of coroutines that mean a wait in trio 0.22 - 0.35, and in anyio on trio. */
#include "read/loops/trio/frame_rows.h"

/* clang-format off */

#define IN LK_TAG_INNERMOST
#define TRAPS "/trio/_core/_traps.py"
#define RUN "/trio/_core/_run.py"
#define SYNC "/trio/_sync.py"
#define CHANNEL "/trio/_channel.py"
#define THREADS "/trio/_threads.py"
#define TIMEOUTS "/trio/_timeouts.py"
#define SOCKET "/trio/_socket.py"
#define ANYIO "/anyio/_backends/_trio.py"
#define ANYIO_SYNC "/anyio/_core/_synchronization.py"

#define KEEP(function, file, kind, tag, call, traits) { function, file, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, kind, tag, tag, call, traits }

const struct lk_wait_row lk_trio_wait_rows[] = {
    /* whatever yields to the loop does it by way of these */
    { NULL, TRAPS, NULL, LK_CLASS_OTHER, LK_HOW_KEEP, LK_WAIT_UNKNOWN, LK_TAG_TRAP, IN | LK_TAG_TRAP, "trio.lowlevel.wait_task_rescheduled()", 0 },
    { "park", "/trio/_core/_parking_lot.py", "self", LK_CLASS_TRIO_LOT, LK_HOW_OBJECT, LK_WAIT_CONDITION, LK_TAG_PARK, LK_TAG_TRAP, "ParkingLot.park()", 0 },
    { "acquire", SYNC, "self", LK_CLASS_TRIO_LOCK, LK_HOW_OBJECT, LK_WAIT_LOCK, LK_TAG_LOCK, LK_TAG_PARK, "trio.Lock.acquire()", 0 },
    { "acquire", SYNC, "self", LK_CLASS_TRIO_CONDITION, LK_HOW_KEEP, LK_WAIT_LOCK, LK_TAG_LOCK, LK_TAG_LOCK, "trio.Condition.acquire()", 0 },
    { "acquire", SYNC, "self", LK_CLASS_TRIO_SEMAPHORE, LK_HOW_OBJECT, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, LK_TAG_PARK, "trio.Semaphore.acquire()", 0 },
    { "acquire_on_behalf_of", SYNC, "self", LK_CLASS_TRIO_LIMITER, LK_HOW_OBJECT, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, LK_TAG_PARK, "trio.CapacityLimiter.acquire()", 0 },
    KEEP("acquire", SYNC, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, "trio.CapacityLimiter.acquire()", 0),
    KEEP("__aenter__", SYNC, LK_WAIT_LOCK, LK_TAG_LOCK, "async with trio.Lock", LK_WAIT_BY_WITH),
    KEEP("__aenter__", SYNC, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, "async with trio.Semaphore", LK_WAIT_BY_WITH),
    { "wait", SYNC, "self", LK_CLASS_TRIO_CONDITION, LK_HOW_OBJECT, LK_WAIT_CONDITION, LK_TAG_CONDITION, LK_TAG_PARK, "trio.Condition.wait()", 0 },
    { "wait", SYNC, "self", LK_CLASS_TRIO_CONDITION, LK_HOW_KEEP, LK_WAIT_LOCK, LK_TAG_CONDITION, LK_TAG_LOCK, "trio.Condition.wait()", 0 },
    { "wait", SYNC, "self", LK_CLASS_TRIO_EVENT, LK_HOW_OBJECT, LK_WAIT_EVENT, LK_TAG_EVENT, LK_TAG_TRAP, "trio.Event.wait()", 0 },
    /* the state that both ends of the channel share */
    { "send", CHANNEL, "self", LK_CLASS_OTHER, LK_HOW_GROUP, LK_WAIT_QUEUE_PUT, LK_TAG_QUEUE, LK_TAG_TRAP, "send() of a memory channel", 0 },
    { "receive", CHANNEL, "self", LK_CLASS_OTHER, LK_HOW_GROUP, LK_WAIT_QUEUE_GET, LK_TAG_QUEUE, LK_TAG_TRAP, "receive() of a memory channel", 0 },
    KEEP("receive", CHANNEL, LK_WAIT_QUEUE_GET, LK_TAG_QUEUE, "receive() of a memory channel", 0),
    KEEP("__anext__", "/trio/_abc.py", LK_WAIT_QUEUE_GET, LK_TAG_QUEUE, "receive() of a memory channel", 0),
    /* all children, one that fails has the others cancelled */
    { "_nested_child_finished", RUN, "self", LK_CLASS_OTHER, LK_HOW_FUTURES, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_TRAP, "leaving a nursery", LK_WAIT_FAILS_EARLY },
    KEEP("__aexit__", RUN, LK_WAIT_FUTURE, LK_TAG_FUTURE, "leaving a nursery", LK_WAIT_FAILS_EARLY),
    KEEP("start", RUN, LK_WAIT_FUTURE, LK_TAG_FUTURE, "Nursery.start()", LK_WAIT_FAILS_EARLY),
    KEEP("__aexit__", ANYIO, LK_WAIT_FUTURE, LK_TAG_FUTURE, "leaving an anyio task group", LK_WAIT_FAILS_EARLY),
    { "sleep_forever", TIMEOUTS, NULL, LK_CLASS_OTHER, LK_HOW_SLEEP, LK_WAIT_SLEEP, LK_TAG_SLEEP, LK_TAG_TRAP, "trio.sleep_forever()", 0 },
    KEEP("sleep_until", TIMEOUTS, LK_WAIT_SLEEP, LK_TAG_SLEEP, "trio.sleep_until()", 0),
    KEEP("sleep", TIMEOUTS, LK_WAIT_SLEEP, LK_TAG_SLEEP, "trio.sleep()", 0),
    KEEP("sleep", ANYIO, LK_WAIT_SLEEP, LK_TAG_SLEEP, "anyio.sleep()", 0),
    KEEP("sleep", "/anyio/_core/_eventloop.py", LK_WAIT_SLEEP, LK_TAG_SLEEP, "anyio.sleep()", 0),
    { "_epoll_wait", "/trio/_core/_io_epoll.py", "fd", LK_CLASS_OTHER, LK_HOW_FD, LK_WAIT_IO, LK_TAG_IO, LK_TAG_TRAP, "trio.lowlevel.wait_readable()", 0 },
    KEEP(NULL, "/trio/_core/_io_epoll.py", LK_WAIT_IO, LK_TAG_IO, "trio.lowlevel.wait_readable()", 0),
    KEEP(NULL, "/trio/_core/_generated_io_epoll.py", LK_WAIT_IO, LK_TAG_IO, "trio.lowlevel.wait_readable()", 0),
    /* for a thread, or a signal, that has something for the loop to do */
    { "wait_woken", "/trio/_core/_wakeup_socketpair.py", NULL, LK_CLASS_OTHER, LK_HOW_SELECT, LK_WAIT_EVENT, LK_TAG_SELECT, LK_TAG_IO, "TrioToken.run_sync_soon()", 0 },
    KEEP("task", "/trio/_core/_entry_queue.py", LK_WAIT_EVENT, LK_TAG_SELECT, "TrioToken.run_sync_soon()", 0),
    KEEP("accept", SOCKET, LK_WAIT_IO, LK_TAG_IO, "accept()", LK_WAIT_LISTENS),
    KEEP("accept", "/trio/_highlevel_socket.py", LK_WAIT_IO, LK_TAG_IO, "accept()", LK_WAIT_LISTENS),
    KEEP("accept", "/trio/_ssl.py", LK_WAIT_IO, LK_TAG_IO, "accept()", LK_WAIT_LISTENS),
    KEEP("_serve_one_listener", "/trio/_highlevel_serve_listeners.py", LK_WAIT_IO, LK_TAG_IO, "serve_listeners()", LK_WAIT_LISTENS),
    KEEP("_nonblocking_helper", SOCKET, LK_WAIT_IO, LK_TAG_IO, "a socket of trio", 0),
    KEEP("wrapper", SOCKET, LK_WAIT_IO, LK_TAG_IO, "a socket of trio", 0),
    KEEP("connect", SOCKET, LK_WAIT_IO, LK_TAG_IO, "connect()", 0),
    KEEP("receive_some", "/trio/_highlevel_socket.py", LK_WAIT_IO, LK_TAG_IO, "receive_some()", 0),
    KEEP("send_all", "/trio/_highlevel_socket.py", LK_WAIT_IO, LK_TAG_IO, "send_all()", 0),
    KEEP(NULL, "/trio/_ssl.py", LK_WAIT_IO, LK_TAG_IO, "an SSLStream", 0),
    KEEP(NULL, "/trio/_unix_pipes.py", LK_WAIT_IO, LK_TAG_IO, "a pipe of trio", 0),
    { "wait", "/trio/_subprocess.py", "self", LK_CLASS_OTHER, LK_HOW_CHILD, LK_WAIT_CHILD, LK_TAG_CHILD, LK_TAG_IO | LK_TAG_FUTURE, "Process.wait()", 0 },
    KEEP("run_process", "/trio/_subprocess.py", LK_WAIT_CHILD, LK_TAG_CHILD, "trio.run_process()", 0),
    /* a thread's result, before that a token of the limiter */
    { "to_thread_run_sync", THREADS, "task_register", LK_CLASS_OTHER, LK_HOW_NOTED, LK_WAIT_FUTURE, LK_TAG_FUTURE, LK_TAG_TRAP, "trio.to_thread.run_sync()", 0 },
    { "to_thread_run_sync", THREADS, "limiter", LK_CLASS_TRIO_LIMITER, LK_HOW_WORKER, LK_WAIT_SEMAPHORE, LK_TAG_FUTURE, LK_TAG_SEMAPHORE, "trio.to_thread.run_sync()", 0 },
    KEEP(NULL, ANYIO, LK_WAIT_FUTURE, LK_TAG_FUTURE, "anyio.to_thread.run_sync()", 0),
    KEEP("run_sync", "/anyio/to_thread.py", LK_WAIT_FUTURE, LK_TAG_FUTURE, "anyio.to_thread.run_sync()", 0),
    KEEP(NULL, ANYIO, LK_WAIT_LOCK, LK_TAG_LOCK, "anyio.Lock.acquire()", 0),
    KEEP(NULL, ANYIO, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, "anyio.Semaphore.acquire()", 0),
    KEEP(NULL, ANYIO, LK_WAIT_EVENT, LK_TAG_EVENT, "anyio.Event.wait()", 0),
    KEEP(NULL, ANYIO, LK_WAIT_IO, LK_TAG_IO, "a stream of anyio", 0),
    { "acquire", ANYIO_SYNC, "self", LK_CLASS_ANYIO_LOCK, LK_HOW_OBJECT, LK_WAIT_LOCK, LK_TAG_LOCK, LK_TAG_EVENT, "anyio.Lock.acquire()", 0 },
    KEEP("__aenter__", ANYIO_SYNC, LK_WAIT_LOCK, LK_TAG_LOCK, "async with anyio.Lock", LK_WAIT_BY_WITH),
    KEEP("__aenter__", ANYIO_SYNC, LK_WAIT_SEMAPHORE, LK_TAG_SEMAPHORE, "async with anyio.Semaphore", LK_WAIT_BY_WITH),
    KEEP("wait", ANYIO_SYNC, LK_WAIT_EVENT, LK_TAG_EVENT, "anyio.Event.wait()", 0),
};
const size_t lk_n_trio_wait_rows = LK_ARRAY_LEN(lk_trio_wait_rows);

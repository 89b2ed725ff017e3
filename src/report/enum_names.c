/*
 * The names of docs/report.schema.json, one table an enumeration. The state of a thread is told
 * from its wait and its role, then from what the kernel alone says.
 */
#include "report/enum_names.h"

#include <string.h>

#include "util/compat.h"

#define UNNAMED "unknown"

static const char *name_of(const char *const *names, size_t n, unsigned value)
{
    return value < n && names[value] ? names[value] : UNNAMED;
}
#define NAME_OF(names, value) name_of(names, LK_ARRAY_LEN(names), (unsigned)(value))

const char *lk_words_errno(struct lk_arena *a, int number)
{
    const char *name = strerrorname_np(number);
    return name ? name : lk_arena_printf(a, "errno %d", number);
}

const char *lk_words_thread_state_name(enum lk_thread_state s)
{
    static const char *const names[] = {
        [LK_TS_LOOP_IDLE] = "loop-idle", [LK_TS_FUTURE_WAIT] = "future-wait",
        [LK_TS_LOCK_WAIT] = "lock-wait", [LK_TS_QUEUE_WAIT] = "queue-wait",
        [LK_TS_IO_WAIT] = "io-wait",     [LK_TS_SLEEP] = "sleep",
        [LK_TS_JOIN] = "join",           [LK_TS_GIL_WAIT] = "gil-wait",
        [LK_TS_PARKED] = "parked",       [LK_TS_EXECUTOR_IDLE] = "executor-idle",
        [LK_TS_RUNNING] = "running",     [LK_TS_STOPPED] = "stopped",
        [LK_TS_UNKNOWN] = "unknown",
    };
    return NAME_OF(names, s);
}

const char *lk_words_role(enum lk_role r)
{
    static const char *const names[] = {
        [LK_ROLE_OTHER] = "other",
        [LK_ROLE_LOOP] = "loop",
        [LK_ROLE_REQUEST] = "request-worker",
        [LK_ROLE_EXECUTOR] = "executor-worker",
    };
    return (unsigned)r < LK_ARRAY_LEN(names) ? names[r] : "other";
}

const char *lk_words_read(enum lk_read r)
{
    static const char *const names[] = {
        [LK_READ_RACY] = "racy",
        [LK_READ_ASLEEP] = "asleep",
        [LK_READ_STOPPED] = "stopped",
    };
    /* What is not known to be consistent is not claimed to be. */
    return (unsigned)r < LK_ARRAY_LEN(names) ? names[r] : "racy";
}

const char *lk_words_os_wait(enum lk_os_wait w)
{
    static const char *const names[] = {
        [LK_OS_NONE] = "none",     [LK_OS_FUTEX] = "futex",       [LK_OS_SOCKET] = "socket",
        [LK_OS_PIPE] = "pipe",     [LK_OS_FILE] = "file",         [LK_OS_CHILD] = "child",
        [LK_OS_TIMER] = "timer",   [LK_OS_SELECTOR] = "selector", [LK_OS_EVENTFD] = "eventfd",
        [LK_OS_SIGNAL] = "signal", [LK_OS_SYSV] = "sysv-ipc",     [LK_OS_OTHER] = "other",
    };
    return (unsigned)w < LK_ARRAY_LEN(names) ? names[w] : "other";
}

const char *lk_words_wait_kind(enum lk_wait_kind k)
{
    static const char *const names[] = {
        [LK_WAIT_NONE] = "none",
        [LK_WAIT_UNKNOWN] = "unknown",
        [LK_WAIT_LOCK] = "lock",
        [LK_WAIT_CONDITION] = "condition",
        [LK_WAIT_EVENT] = "event",
        [LK_WAIT_SEMAPHORE] = "semaphore",
        [LK_WAIT_BARRIER] = "barrier",
        [LK_WAIT_QUEUE_GET] = "queue-get",
        [LK_WAIT_QUEUE_PUT] = "queue-put",
        [LK_WAIT_QUEUE_JOIN] = "queue-join",
        [LK_WAIT_FUTURE] = "future",
        [LK_WAIT_JOIN] = "join",
        [LK_WAIT_GIL] = "gil",
        [LK_WAIT_IMPORT] = "import",
        [LK_WAIT_SELECTOR] = "selector",
        [LK_WAIT_EXECUTOR_IDLE] = "executor-idle",
        [LK_WAIT_IO] = "io",
        [LK_WAIT_SLEEP] = "sleep",
        [LK_WAIT_CHILD] = "child",
        [LK_WAIT_SIGNAL] = "signal",
        [LK_WAIT_READY] = "ready",
    };
    return NAME_OF(names, k);
}

const char *lk_words_loop_run(enum lk_loop_run r)
{
    static const char *const names[] = {
        [LK_LOOP_RUNNING] = "running",           [LK_LOOP_STOPPED] = "stopped",
        [LK_LOOP_NEVER_RUN] = "never-run",       [LK_LOOP_CLOSED] = "closed",
        [LK_LOOP_LOST_IN_FORK] = "lost-in-fork", [LK_LOOP_UNKNOWN] = "unknown",
    };
    return NAME_OF(names, r);
}

const char *lk_words_task_kind(enum lk_task_kind k)
{
    static const char *const names[] = {
        [LK_TASK_COROUTINE] = "task",
        [LK_TASK_GREENLET] = "greenlet",
    };
    return NAME_OF(names, k);
}

const char *lk_words_task_state(enum lk_task_state s)
{
    static const char *const names[] = {
        [LK_TASK_PENDING] = "pending",
        [LK_TASK_RUNNING] = "running",
        [LK_TASK_DONE] = "done",
        [LK_TASK_CANCELLED] = "done",
    };
    return (unsigned)s < LK_ARRAY_LEN(names) ? names[s] : "pending";
}

const char *lk_words_future_state(enum lk_future_state s)
{
    static const char *const names[] = {
        [LK_FUTURE_PENDING] = "pending",
        [LK_FUTURE_RUNNING] = "running",
        [LK_FUTURE_DONE] = "done",
        [LK_FUTURE_CANCELLED] = "cancelled",
    };
    return (unsigned)s < LK_ARRAY_LEN(names) ? names[s] : NULL;
}

const char *lk_words_future_origin(enum lk_future_origin o)
{
    static const char *const names[LK_N_ORIGINS] = {
        [LK_ORIGIN_RUN_COROUTINE_THREADSAFE] = "run_coroutine_threadsafe",
        [LK_ORIGIN_EXECUTOR] = "executor",
        [LK_ORIGIN_HANDED_ON] = "executor",
        [LK_ORIGIN_GATHER] = "gather",
        [LK_ORIGIN_WAIT] = "wait",
        [LK_ORIGIN_WAIT_FOR] = "wait_for",
        [LK_ORIGIN_SHIELD] = "shield",
        [LK_ORIGIN_WRAP_FUTURE] = "wrap_future",
        [LK_ORIGIN_SLEEP] = "sleep",
        [LK_ORIGIN_TASK_GROUP] = "TaskGroup",
        [LK_ORIGIN_AS_COMPLETED] = "as_completed",
        [LK_ORIGIN_TIMER] = "timer",
        [LK_ORIGIN_CHAIN] = "chain",
        [LK_ORIGIN_CALLBACK] = "callback",
        [LK_ORIGIN_ASYNC_TO_SYNC] = "async_to_sync",
        [LK_ORIGIN_BLOCKING_PORTAL] = "BlockingPortal",
        [LK_ORIGIN_SHUTDOWN_DEFAULT_EXECUTOR] = "shutdown_default_executor",
    };
    return (unsigned)o < LK_ARRAY_LEN(names) ? names[o] : NULL;
}

const char *lk_words_peer_is(enum lk_peer_is p)
{
    static const char *const names[] = {
        [LK_PEER_OUTSIDE] = "outside",
        [LK_PEER_SELF] = "this-process",
        [LK_PEER_TREE] = "tree",
    };
    return (unsigned)p < LK_ARRAY_LEN(names) ? names[p] : NULL;
}

const char *lk_words_owner_by(enum lk_owner_by o)
{
    static const char *const names[] = {
        [LK_OWNER_NONE] = "none",
        [LK_OWNER_FIELD] = "field",
        [LK_OWNER_VALUE_STACK] = "value-stack",
        [LK_OWNER_FREE] = "none",
    };
    return (unsigned)o < LK_ARRAY_LEN(names) ? names[o] : "none";
}

const char *lk_words_extern_kind(enum lk_extern_kind k)
{
    static const char *const names[] = {
        [LK_EXT_OUTSIDE] = "outside",
        [LK_EXT_TIMER] = "timer",
        [LK_EXT_CHILD] = "child",
        [LK_EXT_FILE] = "file",
        [LK_EXT_SELF_LISTENER] = "self-listener",
        [LK_EXT_UNKNOWN] = "unknown",
    };
    return NAME_OF(names, k);
}

const char *lk_words_supervisor_kind(enum lk_supervisor_kind k)
{
    static const char *const names[] = {
        [LK_SUPERVISOR_PROGRAM] = "program",       [LK_SUPERVISOR_SHELL] = "shell",
        [LK_SUPERVISOR_SESSION] = "session",       [LK_SUPERVISOR_MASTER] = "master",
        [LK_SUPERVISOR_OF_SERVERS] = "of-servers",
    };
    return NAME_OF(names, k);
}

const char *lk_words_stood_still(enum lk_stood_still s)
{
    static const char *const names[] = {
        [LK_STOOD_STILL] = "stood-still",
        [LK_RAN_TOO_LONG] = "ran-too-long",
    };
    return (unsigned)s < LK_ARRAY_LEN(names) ? names[s] : NULL;
}

/* What the kernel alone says, where the program's own reason was not found out. */
static enum lk_thread_state state_by_kernel(const struct lk_thread *t)
{
    switch (t->os.on) {
    case LK_OS_SOCKET: return t->os.listening ? LK_TS_PARKED : LK_TS_IO_WAIT;
    case LK_OS_PIPE:
    case LK_OS_FILE:
    case LK_OS_CHILD:
    case LK_OS_SELECTOR: return LK_TS_IO_WAIT;
    case LK_OS_TIMER: return LK_TS_SLEEP;
    case LK_OS_SIGNAL: return LK_TS_PARKED;
    case LK_OS_NONE:
    case LK_OS_FUTEX:
    case LK_OS_EVENTFD:
    case LK_OS_SYSV:
    case LK_OS_OTHER: break;
    }
    return LK_TS_UNKNOWN;
}

enum lk_thread_state lk_words_thread_state(const struct lk_thread *t, bool blamed)
{
    static const enum lk_thread_state states[] = {
        [LK_WAIT_NONE] = LK_TS_PARKED,          [LK_WAIT_UNKNOWN] = LK_TS_UNKNOWN,
        [LK_WAIT_LOCK] = LK_TS_LOCK_WAIT,       [LK_WAIT_CONDITION] = LK_TS_PARKED,
        [LK_WAIT_EVENT] = LK_TS_PARKED,         [LK_WAIT_SEMAPHORE] = LK_TS_LOCK_WAIT,
        [LK_WAIT_BARRIER] = LK_TS_LOCK_WAIT,    [LK_WAIT_QUEUE_GET] = LK_TS_QUEUE_WAIT,
        [LK_WAIT_QUEUE_PUT] = LK_TS_QUEUE_WAIT, [LK_WAIT_QUEUE_JOIN] = LK_TS_QUEUE_WAIT,
        [LK_WAIT_FUTURE] = LK_TS_FUTURE_WAIT,   [LK_WAIT_JOIN] = LK_TS_JOIN,
        [LK_WAIT_GIL] = LK_TS_GIL_WAIT,         [LK_WAIT_IMPORT] = LK_TS_LOCK_WAIT,
        [LK_WAIT_SELECTOR] = LK_TS_LOOP_IDLE,   [LK_WAIT_EXECUTOR_IDLE] = LK_TS_EXECUTOR_IDLE,
        [LK_WAIT_IO] = LK_TS_IO_WAIT,           [LK_WAIT_SLEEP] = LK_TS_SLEEP,
        [LK_WAIT_CHILD] = LK_TS_IO_WAIT,        [LK_WAIT_SIGNAL] = LK_TS_PARKED,
        [LK_WAIT_READY] = LK_TS_RUNNING,
    };
    /* A running thread may show our own short stop as 't'. */
    if (t->kstate == 'T' || (t->kstate == 't' && !t->running))
        return LK_TS_STOPPED;
    if (t->running || (t->wait.kind == LK_WAIT_NONE && t->kstate == 'R'))
        return LK_TS_RUNNING;
    if (t->wait.kind == LK_WAIT_NONE && t->os.on == LK_OS_NONE && !t->os.syscall)
        return t->moved ? LK_TS_RUNNING : LK_TS_UNKNOWN;
    if (t->wait.kind == LK_WAIT_UNKNOWN)
        return state_by_kernel(t);
    /* No runtime's wait, but the kernel may tell what a native thread sleeps for. */
    if (t->wait.kind == LK_WAIT_NONE && state_by_kernel(t) != LK_TS_UNKNOWN)
        return state_by_kernel(t);
    if (t->wait.kind == LK_WAIT_IO && t->os.listening)
        return LK_TS_PARKED;
    enum lk_thread_state s =
        (unsigned)t->wait.kind < LK_ARRAY_LEN(states) ? states[t->wait.kind] : LK_TS_UNKNOWN;
    return s == LK_TS_PARKED && blamed && t->wait.kind != LK_WAIT_NONE ? LK_TS_LOCK_WAIT : s;
}

bool lk_words_is_idle(enum lk_thread_state s)
{
    return s == LK_TS_LOOP_IDLE || s == LK_TS_PARKED || s == LK_TS_EXECUTOR_IDLE;
}

/* Futures, asyncio's and concurrent ones. */
#ifndef LK_SNAPSHOT_FUTURE_H
#define LK_SNAPSHOT_FUTURE_H

#include "snapshot/ref.h"

enum lk_future_state {
    LK_FUTURE_PENDING = 0,
    LK_FUTURE_RUNNING,
    LK_FUTURE_DONE,
    LK_FUTURE_CANCELLED,
    LK_FUTURE_STATE_UNKNOWN
};

/** By what a future gets its result, where its mechanism is known. */
enum lk_future_origin {
    LK_ORIGIN_UNKNOWN = 0,
    LK_ORIGIN_RUN_COROUTINE_THREADSAFE,
    LK_ORIGIN_EXECUTOR,
    LK_ORIGIN_HANDED_ON, /* by the one thread of a pool that hands all results on */
    LK_ORIGIN_GATHER,
    LK_ORIGIN_WAIT,
    LK_ORIGIN_WAIT_FOR,
    LK_ORIGIN_SHIELD,
    LK_ORIGIN_WRAP_FUTURE,
    LK_ORIGIN_SLEEP,
    LK_ORIGIN_TASK_GROUP,
    LK_ORIGIN_AS_COMPLETED,
    LK_ORIGIN_TIMER,
    LK_ORIGIN_CHAIN,
    LK_ORIGIN_CALLBACK, /* of the program's own */
    LK_ORIGIN_ASYNC_TO_SYNC,
    LK_ORIGIN_BLOCKING_PORTAL,
    LK_ORIGIN_SHUTDOWN_DEFAULT_EXECUTOR,
    LK_N_ORIGINS
};

/* As many as tasks: the order leaves no holes. */
struct lk_future {
    const char *id; /* "f1" */
    lk_addr addr;
    const char *cls;
    enum lk_future_state state;
    enum lk_future_origin origin;
    struct lk_ref loop; /* asyncio: its loop; concurrent: loop it was scheduled on, if found */
    /* task, thread (runs its work item), executor (queued there), loop (a ready handle), extern
     * (timer), future */
    struct lk_refs enders;
    bool concurrent;    /* concurrent.futures, else asyncio */
    bool all;           /* all enders are needed (gather, wait ALL_COMPLETED); else any one */
    bool fails_early;   /* ... but one that fails is enough: gather(), return_exceptions=False */
    bool enders_sought; /* reading: they were looked for */
    bool enders_cut;    /* reading: the search for them was ended */
    bool enders_likely; /* code of the program's own that has the future at hand; other code may too
                         */
    bool enders_complete;
    /* asyncio: whoever could complete it was looked for, and not found ... */
    bool unended;
    bool kept_by_waiters; /* ... but that nobody refers to it besides who waits for it */
    /* a thread waits for it, and nobody is known to complete it: threads and tasks that complete
     * futures and have it at hand; others may, too */
    struct lk_refs at_hand;
    bool job_lost; /* the worker process that had its job has ended: nobody will complete it */
    bool stable;
    bool confirmed; /* as of a task */
    enum lk_read read;
};

#endif

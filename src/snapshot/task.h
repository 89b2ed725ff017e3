/* Tasks: asyncio's, and greenlets. */
#ifndef LK_SNAPSHOT_TASK_H
#define LK_SNAPSHOT_TASK_H

#include "snapshot/frame.h"
#include "snapshot/wait.h"

enum lk_task_state { LK_TASK_PENDING = 0, LK_TASK_RUNNING, LK_TASK_DONE, LK_TASK_CANCELLED };

/** What a task is made of. */
enum lk_task_kind { LK_TASK_COROUTINE = 0, LK_TASK_GREENLET };

/* There may be 100,000 of them: the order leaves no holes. */
struct lk_task {
    const char *id; /* "k7" */
    lk_addr addr;
    const char *name;
    struct lk_ref loop;
    enum lk_task_state state;
    bool started;
    bool ready; /* a step or wake-up of it is in its loop's ready queue */
    bool must_cancel;
    uint8_t kind; /* enum lk_task_kind */
    bool inner;   /* the loop's own, which does nobody's work */
    bool http;    /* an ASGI application was called in it for an HTTP request */
    const char *coroutine;
    struct lk_pystack *stack; /* await chain, innermost first */
    struct lk_wait wait;
    struct lk_ref run_by; /* thread on whose stack its step is, while RUNNING */
    struct lk_ref thread; /* greenlet: the only one that can go on with it; none = not known */
    struct lk_refs holds;
    /* what it awaits that another loop's code completes: its future or task, or a primitive */
    struct lk_ref crosses;
    struct lk_ref crosses_loop; /* that other loop; none when it awaits nothing of that kind */
    bool crosses_done;          /* it is done: only the wake-up of its own loop is missing */
    bool first;                 /* greenlet: the one that its thread began with */
    bool once;                  /* ... read once; only its thread's sleep says that it stays */
    bool stable;
    /* read like this while its thread stood still, in this sample or in an earlier one */
    bool confirmed;
    enum lk_read read;
    /* for how long it was seen in the same wait; LK_UNKNOWN in one sample only, or not in a wait */
    int64_t stuck_ms;
    uint64_t salt; /* tells one wait for the outside from the next one at the same place; 0 none */
};

#endif

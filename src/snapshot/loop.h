/* Event loops, and the callbacks that stand in their queues. */
#ifndef LK_SNAPSHOT_LOOP_H
#define LK_SNAPSHOT_LOOP_H

#include "snapshot/frame.h"
#include "snapshot/ref.h"

enum lk_loop_run {
    LK_LOOP_RUNNING = 0,
    LK_LOOP_STOPPED,
    LK_LOOP_NEVER_RUN,
    LK_LOOP_CLOSED,
    LK_LOOP_LOST_IN_FORK,
    LK_LOOP_UNKNOWN
};

/** A callback in a loop's ready queue or timer heap. */
struct lk_handle {
    lk_addr addr;
    const char *callback;     /* qualified name */
    struct lk_pyframe *frame; /* its function's first line; NULL for C functions */
    enum lk_tri cancelled;
    struct lk_ref task;    /* the task whose step or wake-up it is */
    struct lk_ref creates; /* concurrent future whose task this handle will create */
    int64_t when_ms;       /* timers: from now */
    bool stable;           /* in the queue in all samples */
};

/** What led to a loop first. */
enum lk_found_by {
    LK_FOUND_UNKNOWN = 0,
    LK_FOUND_RUNNING, /* the record, or the frames, of the thread that runs it */
    LK_FOUND_TASK,    /* a task, future or lock on it */
    LK_FOUND_FRAME,   /* a local variable */
    LK_FOUND_MODULE,  /* a module's global */
    LK_FOUND_HEAP,    /* a walk over all objects: nothing else led to it */
    LK_FOUND_HANDLE,  /* a callback scheduled on it */
};

struct lk_loop {
    const char *id; /* "o1" */
    lk_addr addr;
    const char *kind;      /* name for reports: "asyncio", ... */
    uint64_t kind_id;      /* equal where the kind is */
    bool alone;            /* its kind has no interface in common with others */
    bool native;           /* of a library in C: its queues are not read */
    bool shared;           /* several threads may run one such loop */
    bool driven_in_python; /* the thread that runs it has Python frames that say so */
    const char *cls;       /* class name */
    const char *offload; /* how code on it has a blocking call made elsewhere; NULL: as asyncio's */
    const char *cancels; /* the call by which another thread has a task of it cancelled; NULL */
    struct lk_ref thread; /* that runs it, or last ran it and is alive */
    enum lk_loop_run run;
    enum lk_tri closed, stopping;
    uint64_t thread_ident; /* _thread_id; 0 none */
    int64_t ready, timers; /* counts; LK_UNKNOWN */
    int64_t next_timer_ms; /* LK_UNKNOWN = none or not known */
    int64_t tasks_pending;
    struct lk_handle *handles; /* first ready handles, bounded */
    size_t n_handles;
    struct lk_handle *timer_handles;
    size_t n_timer_handles;
    bool timers_unread; /* not all timers could be read: one of them may do anything */
    int64_t epoll_fd, wakeup_read_fd, wakeup_write_fd; /* LK_UNKNOWN */
    int64_t wakeup_unread;                             /* unread bytes in the self-pipe */
    int64_t watched_fds;                               /* fds registered beside the self-pipe */
    /* its thread is inside its selector's wait (kernel), not waiting for the GIL */
    enum lk_tri in_own_selector;
    enum lk_tri reachable; /* some live thread's frame, or a module global, has it in reach */
    enum lk_found_by found_by;
    const char *origin; /* where it came from if that can be told (module.name), for LK205 */
    enum lk_read read;
    struct lk_ref ready_task; /* not used when none */
    /* The callback that its thread runs now. A turn (one _run_once) runs the callbacks that were
     * ready when it began. */
    /* identity of the callback: the moment the turn began, and its place in it; 0 = idle or not
     * known */
    uint64_t turn;
    int64_t turn_ms; /* how long the turn has lasted; LK_UNKNOWN */
    /* the callback is the first of its turn, so it has run for all of turn_ms */
    bool turn_first;
    bool callback_same;     /* the same callback in all samples */
    int64_t callback_ms;    /* for how long, at least, the callback has run; LK_UNKNOWN */
    bool stable;            /* thread, flags and first ready handle same in all samples */
    bool ready_same_head;   /* same uncancelled first handle in all samples */
    struct lk_ref executor; /* its default executor */
    bool framework_owned;   /* created by a declared framework bridge; set by lk_classify */
};

#endif

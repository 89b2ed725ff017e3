/* Threads. */
#ifndef LK_SNAPSHOT_THREAD_H
#define LK_SNAPSHOT_THREAD_H

#include "snapshot/frame.h"
#include "snapshot/wait.h"

enum lk_role { LK_ROLE_OTHER = 0, LK_ROLE_LOOP, LK_ROLE_REQUEST, LK_ROLE_EXECUTOR };

struct lk_thread {
    const char *id; /* "t4711" */
    int64_t tid;
    const char *name; /* Python's name if it has one, else comm */
    const char *comm;
    bool main;
    char kstate;         /* R S D T t Z X I of /proc stat */
    bool running;        /* was running (not in a system call) when looked at */
    int unread;          /* errno: in which call it sleeps could not be read; 0 */
    bool python;         /* has a Python thread state */
    bool outside_python; /* ... and was seen to run no Python code at the moment */
    uint64_t ident;      /* pthread_t as Python sees it; 0 unknown */
    lk_addr tstate;
    int64_t interpreter; /* id of the Python interpreter whose code is innermost; 0: the main one */
    unsigned gil;        /* threads that have the same number share a GIL */
    enum lk_read read;
    enum lk_role role; /* set by lk_classify */
    bool in_request;   /* a request is being served on this stack; set by lk_classify */
    bool holds_gil;
    /* a signal's handler of that name stands on it and waits for whoever examines the process: its
     * stack and wait are those below, which the signal interrupted; NULL none */
    const char *interrupted_by;
    struct lk_wait wait;
    /* functions made in C that the innermost frame may be calling: "module:name", "symbol" (ctypes)
     */
    const char *callees[4];
    uint32_t n_callees;
    struct lk_syscall_wait os;
    lk_addr sp;                      /* stack pointer of the call it sleeps in; 0 not known */
    struct lk_pystack *python_stack; /* never NULL; n = 0 for none */
    /* main thread of a forked process: the parent's frames outside of the one that forked; NULL */
    struct lk_pystack *before_fork;
    struct lk_natstack *native_stack;
    /* loops this stack drives (run_forever / _run_once self), innermost first */
    const struct lk_ref *frame_loops;
    size_t n_frame_loops;
    /* future or task that the innermost run_until_complete on this stack runs its loop for; none:
     * run_forever or not known */
    struct lk_ref drives;
    struct lk_ref running_loop; /* the runtime's running-loop record */
    struct lk_ref current_task; /* task whose step is on this stack */
    struct lk_ref works_for;    /* executor whose worker this is */
    struct lk_ref works_on;     /* future of the work item it runs now */
    struct lk_ref inside_cst;   /* loop whose call_soon_threadsafe is on this stack */
    struct lk_refs holds;       /* locks */
    /* it waits for a file lock of its own process: threads whose frames name the file that has it
     */
    struct lk_refs lock_users;
    /* descriptors of sockets that its frames or its loop have at hand; only read where a thread
     * waits for a connection to this process that nobody has accepted */
    const int64_t *sockets;
    size_t n_sockets;
    bool sockets_complete;
    /* times it was given a CPU (schedstat pcount) or context switches */
    uint64_t switches;
    uint64_t cpu_us;       /* CPU time used so far */
    uint64_t cpu_delta_us; /* CPU time used between first and last sample */
    /* since when it has not run, by the scheduler's record; LK_UNKNOWN */
    int64_t off_cpu_ms;
    /* only other processes can end its wait, and none of them can act before this process does */
    bool no_answer;
    /* the outer half of its stack was the same in all samples: one long callback, not many short
     * ones */
    bool callback_stable;
    size_t outer_frames_same; /* outermost Python frames at the same instruction in all samples */
    bool stable;              /* same position in all samples: frames, instructions, wait */
    bool moved;               /* progress was seen between samples or while watching */
    int64_t stuck_ms;         /* LK_UNKNOWN = moves or not known */
    bool stuck_by_scheduler;
    bool again; /* ... in waits with a timeout: it was given a CPU in between, and waits anew */
    uint64_t digest; /* position, for progress */
};

/** A Python thread that ran while it was read and was not stopped: its frames were left alone. */
static inline bool lk_thread_is_unread(const struct lk_thread *t)
{
    return t->python && t->running && t->read == LK_READ_RACY && !t->python_stack->n;
}

/** It sleeps in a call that could not be read, and nobody held it: its wait is not known. */
static inline bool lk_wait_is_unread(const struct lk_thread *t)
{
    return t->unread && t->read != LK_READ_STOPPED;
}

#endif

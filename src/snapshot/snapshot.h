/*
 * The snapshot: what was seen of one process, as plain data. Readers (process, read)
 * fill it through snapshot/builder.h; diagnose, report and examine read it.
 * It names no reader, holds no handle and no pointer into a target: all memory belongs
 * to its arena. "Unknown" is never 0 or none: where both exist there is a separate
 * encoding (LK_UNKNOWN for int64_t counts and times, LK_TRI_UNKNOWN for flags).
 *
 * A snapshot describes the LAST sample; what earlier samples say about the same
 * entities is condensed into `stable`, `moved` and `stuck_ms`.
 */
#ifndef LK_SNAPSHOT_SNAPSHOT_H
#define LK_SNAPSHOT_SNAPSHOT_H

#include "snapshot/executor.h"
#include "snapshot/frame.h"
#include "snapshot/future.h"
#include "snapshot/lock.h"
#include "snapshot/loop.h"
#include "snapshot/outside.h"
#include "snapshot/process.h"
#include "snapshot/ref.h"
#include "snapshot/task.h"
#include "snapshot/thread.h"
#include "snapshot/wait.h"
#include "util/vec.h"

/** One thing that could not be read. */
struct lk_limit {
    const char *text;           /* one sentence, for users */
    struct lk_ref entity;       /* whose it is, of several the first; LK_KIND_NONE: of none */
    struct lk_failed_read read; /* the first read that failed; size 0 with an errno: it was no read
                                   of memory, size 0 without one: nothing is known of it */
};

/** By what somebody has a task or future at hand. */
enum lk_hand {
    LK_HAND_FRAME = 0,        /* a variable of a thread's or suspended task's frames */
    LK_HAND_TIMER,            /* what a loop's timer calls */
    LK_HAND_TIMER_CANCELS,    /* ... which is known to do nothing but cancel it */
    LK_HAND_CALLBACK,         /* what is registered to be called when something happens */
    LK_HAND_CALLBACK_CANCELS, /* ... likewise */
};

/**
 * Who has a task or future at hand that can be part of a ring of waits (read/loops/ring.c), and so
 * may end its wait.
 */
struct lk_at_hand {
    /* the task or future; none: what the timer's callback has at hand is not known, it may be any
     */
    struct lk_ref what;
    /* thread or task; of a timer its loop; of what is registered the task, future or loop that
     * calls it, none: it may be called at any time */
    struct lk_ref by;
    enum lk_hand hand;
    int64_t in_ms;        /* timers: when it is due */
    const char *callback; /* timers and what is registered: qualified name, "" unknown */
    const char *when;     /* what is registered: it is called "when ..." */
};

struct lk_sample {
    int64_t at_ms, pause_us;
    int64_t stopped, asleep;
    int64_t *moved_tids;
    size_t n_moved;
};

/** Entities that are like a listed one and are not listed: those of a report that was written with
 * them folded away, and read again. */
struct lk_folded {
    struct lk_ref like;
    uint32_t count;
};

struct lk_snapshot {
    struct lk_arena *arena;
    /* target */
    int64_t pid, uid, ppid;
    bool not_examined; /* it stands in its set only to say so, and why: among the limits */
    bool forked;       /* a copy of its parent: forked, and no exec since */
    const char *comm, *exe, *host, *boot_id, *start_time, *container, *taken_at;
    const char *unit; /* the systemd service that it belongs to; NULL none */
    char **cmdline;   /* redacted, clean */
    size_t n_cmdline;
    const char *cwd;
    struct {
        struct lk_child *v;
        size_t n, cap;
    } children;
    const struct lk_supervisor *supervisor; /* NULL: it is none */
    bool children_examined;   /* the children are (or will be) examined in the same run: --tree */
    const char *respawned_by; /* the master that starts another one when it ends; NULL none known */
    int64_t supervisor_timeout_ms; /* gunicorn --timeout that kills a hung worker; LK_UNKNOWN */
    /* PYTEST_CURRENT_TEST of its environment, nothing else of which is kept; NULL */
    const char *test_env;
    /* unittest's test that the main thread runs, sets up or tears down: "module.Class", method */
    struct {
        const char *group, *name; /* NULL: none */
    } unit_test;
    /* a handler of its own may run (other than for the interrupt key and for crashes) */
    enum lk_tri handles_signals;
    uint64_t caught_signals; /* those: bit n - 1 for signal n */
    /* one of them is the program's own, and may end a wait: not a library's, nor one that only logs
     * or exits; as handles_signals where handlers cannot be read */
    enum lk_tri own_handlers;
    /* SIGALRM has a handler, with which code of its own bounds waits of the main thread */
    enum lk_tri handles_alarm;
    /* the process itself has set it since it began: it runs that test; else it inherited it */
    bool test_env_own;
    enum lk_runtime runtime; /* of its main language */
    struct lk_python python;
    struct lk_process_halt stop;
    struct lk_surroundings around;
    int64_t epoll_fds; /* number of epoll descriptors; LK_UNKNOWN */
    /* entities */
    struct {
        struct lk_thread *v;
        size_t n, cap;
    } threads;
    struct {
        struct lk_loop *v;
        size_t n, cap;
    } loops;
    struct {
        struct lk_task *v;
        size_t n, cap;
    } tasks;
    struct {
        struct lk_future *v;
        size_t n, cap;
    } futures;
    struct {
        struct lk_lock *v;
        size_t n, cap;
    } locks;
    struct {
        struct lk_executor *v;
        size_t n, cap;
    } executors;
    struct {
        struct lk_extern *v;
        size_t n, cap;
    } externs;
    struct {
        struct lk_cross_wait *v;
        size_t n, cap;
    } cross_waits;
    struct {
        struct lk_folded *v;
        size_t n, cap;
    } folded;
    struct {
        struct lk_listener *v;
        size_t n, cap;
    } listeners;
    enum lk_tri listens; /* one of its sockets does: clients may still come */
    struct {
        struct lk_own_connection *v;
        size_t n, cap;
    } own_connections;
    struct {
        struct lk_served_connection *v;
        size_t n, cap;
    } served_connections;
    struct {
        struct lk_at_hand *v;
        size_t n, cap;
    } at_hand;
    bool at_hand_cut; /* frames were left out: there may be others */
    struct {
        struct lk_sample *v;
        size_t n, cap;
    } samples;
    struct {
        struct lk_limit *v;
        size_t n, cap;
    } limits; /* what could not be read, and why */
    /* every loop of the process is in loops[] (heap walk, or no epoll fd unaccounted for) */
    bool loops_complete;
    bool tasks_complete;
    /* what of the process may not be read, and what that needs; among the limits too. NULL nothing
     */
    const char *withheld;
    /* `loopknot run` ends the command for it, and this process is where: for how long, the test
     * that runs; LK409 */
    enum lk_stood_still { LK_MOVES = 0, LK_STOOD_STILL, LK_RAN_TOO_LONG } stood_still;
    int64_t stood_still_ms;
    const char *stood_still_in;
    int ran_out;              /* errno: files could not be opened for want of something; 0 */
    bool decisive_unreadable; /* something a verdict of healthy needs could not be read */
    const char *decisive_why; /* what, and why; NULL: the last of the limits */
    int64_t watched_ms;       /* how long, samples and watch together, the target was observed */
    int64_t stalled_after_ms;
    /* it is of a core dump: whether anything moves, and for how long it has not, is not known */
    bool one_moment;
    /* the user's, for lk_classify and the rules (diagnose/catalog/frames.h); NULL none. Borrowed */
    const struct lk_patterns *patterns;
    bool main_locals;        /* the variables of the main thread are shown whoever is blamed */
    struct lk_map *by_addr;  /* builder's private use */
    size_t n_process_limits; /* limits that belong to the process, not to one try of a sample */
};

/** Whether what own_handlers, handles_signals or handles_alarm says keeps a finding from being
 * told: of a core dump handlers in C are not known, and what they might end is no more than a
 * hazard there anyway. */
static inline bool lk_handler_may_act(const struct lk_snapshot *s, enum lk_tri handles)
{
    return handles == LK_YES || (handles == LK_TRI_UNKNOWN && !s->one_moment);
}

/** The thread accepts from, reads or polls this socket now. */
bool lk_stands_at(const struct lk_thread *t, const struct lk_listener *l);

/** Typed access; NULL when ref is of another kind or out of range. */
struct lk_thread *lk_thread_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_loop *lk_loop_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_task *lk_task_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_future *lk_future_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_lock *lk_lock_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_executor *lk_executor_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_extern *lk_extern_at(const struct lk_snapshot *s, struct lk_ref r);
/** What a thread or task waits for; NULL when ref is neither. */
struct lk_wait *lk_wait_of(const struct lk_snapshot *s, struct lk_ref thread_or_task);
/** The Python frames of a thread or task; NULL when there are none, or ref is neither. */
const struct lk_pystack *lk_stack_of(const struct lk_snapshot *s, struct lk_ref thread_or_task);
/** How many entities of a kind its lists have. */
size_t lk_snapshot_listed(const struct lk_snapshot *s, enum lk_kind kind);
/** How many there are, those that are folded away too. */
size_t lk_snapshot_count(const struct lk_snapshot *s, enum lk_kind kind);
/** The id of any entity ("t4711"); NULL for LK_KIND_NONE. */
const char *lk_ref_id(const struct lk_snapshot *s, struct lk_ref r);

#endif

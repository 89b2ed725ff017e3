/* What stands outside of the process: peers, children, sockets that others hold, other processes.
 */
#ifndef LK_SNAPSHOT_OUTSIDE_H
#define LK_SNAPSHOT_OUTSIDE_H

#include "snapshot/ref.h"

enum lk_extern_kind {
    LK_EXT_OUTSIDE = 0,
    LK_EXT_TIMER,
    LK_EXT_CHILD,
    LK_EXT_FILE,
    LK_EXT_SELF_LISTENER,
    LK_EXT_UNKNOWN
};

/** What a child process does for which somebody waits; the more, the likelier its result comes. */
enum lk_child_does {
    LK_CHILD_UNKNOWN = 0,
    LK_CHILD_STANDS, /* each of its threads waits for what may never come */
    LK_CHILD_WAITS,  /* for a timer, for clients, for a connection, or it ran a moment ago */
    LK_CHILD_RUNS,
};

/** Something outside this process (or a timer) that ends a wait. */
struct lk_extern {
    const char *id; /* "e1" */
    enum lk_extern_kind kind;
    const char *text;  /* "10.0.0.7:5432", "timer", "child 4712", "/var/lock/x" */
    int64_t in_ms;     /* timers: time left */
    int64_t child_pid; /* LK_EXT_CHILD: of a single one; 0 */
    /* LK_EXT_CHILD: of several, of the one that does most */
    enum lk_child_does child;
    bool pool; /* LK_EXT_CHILD: of a process pool, which works its items off */
    /* LK_EXT_OUTSIDE: a client, or whoever connects: an accepted connection, a listener */
    bool client;
    const char *local; /* LK_EXT_OUTSIDE: this end of that connection; NULL */
    /* LK_EXT_OUTSIDE: for how long no data has come or gone on that connection; LK_UNKNOWN */
    int64_t quiet_ms;
    /* LK_EXT_CHILD, or a pipe's other end: that process is blocked writing to this pipe (another
     * one), whose reading end this process has; NULL */
    const char *fills;
};

/** What a process does that holds a socket of the examined one too. */
enum lk_share {
    LK_SHARE_UNKNOWN = 0, /* may come to serve it */
    LK_SHARE_SERVES,      /* a thread of it accepts, reads or polls */
    /* all its requests wait, without a timeout, for an answer from the same socket */
    LK_SHARE_WAITS,
    /* a parent: it has no request, and its threads wait for events, none of which is a connection
       there */
    LK_SHARE_IDLE,
};
struct lk_sharer {
    int64_t pid;
    const char *comm;
    enum lk_share does;
    bool examined; /* in the same run */
};

/**
 * A connection of this process to a party that somebody here waits for by another connection. Only
 * looked for where there is such a wait.
 */
struct lk_own_connection {
    int64_t fd;
    const char *local, *peer; /* "127.0.0.1:5432" */
    struct lk_ref by;         /* the thread or task that has it at hand; none: not known */
};

/**
 * An accepted connection whose client is a thread of this process that waits for its answer, and
 * the tasks whose frames lead to it.
 */
struct lk_served_connection {
    int64_t fd;
    struct {
        struct lk_ref task;
        unsigned far; /* steps from a variable of its frames */
    } by[8];          /* the nearest first; those that are farther away are left out */
    size_t n_by;
    unsigned seen_to; /* so far away all tasks were looked at */
};

/** A socket of this process that others connect to, or an accepted connection whose client is this
 * process too. */
struct lk_listener {
    uint64_t inode;
    bool listening;
    const char *address; /* NULL */
    struct {
        int64_t *v;
        size_t n, cap;
    } fds;         /* its descriptors here */
    int64_t queue; /* listening: connections that wait to be accepted; LK_UNKNOWN */
    /* of these: who has sent something already; LK_UNKNOWN, also where it does not matter */
    int64_t asking;
    /* YES: no other process holds it. Only looked for where a thread waits for it */
    enum lk_tri alone;
    struct {
        struct lk_sharer *v;
        size_t n, cap;
    } sharers;
};

struct lk_child {
    int64_t pid;
    const char *comm;
    int64_t threads;
    enum lk_child_does does; /* only asked where the process ends, and may wait for it */
};

/** A thread's wait that another process of the same run can end; set after all of them were
 * examined. */
struct lk_cross_wait {
    uint32_t thread;
    /* of the process that can end it; this one's own id: a descriptor of its own */
    int64_t pid;
    const char *what;  /* "child process 4712", "process 4712, which reads pipe:[123]" */
    struct lk_ref via; /* the extern that the thread waits for */
    /* what that process itself waits for, when it cannot act before this one: "its thread x blocks
     * in write() ..." */
    const char *waits;
    /* of a write to a pipe that only that process reads: its thread that waits for this process to
     * end, though others of it could act; NULL */
    const char *awaits;
    int64_t verdict;     /* of that process (diagnose/rules/rules.h, enum lk_verdict) */
    const char *finding; /* its worst finding in words; NULL */
    bool by_locks;       /* a wait for a file lock, in a ring of such waits only */
    /* all threads of both processes slept on, unchanged, when the last process had been examined */
    bool verified;
};

#endif

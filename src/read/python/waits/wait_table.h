/*
 * Frames that mean a wait, as data: how a row is built, and the rows of threads.
 */
#ifndef LK_READ_PYTHON_WAITS_WAIT_TABLE_H
#define LK_READ_PYTHON_WAITS_WAIT_TABLE_H

#include "read/python/reader/known_class.h"
#include "snapshot/snapshot.h"

/** How a row's object becomes the thing waited for. */
enum lk_wait_how {
    LK_HOW_KEEP = 0,   /* a wrapper: same wait as the frame it calls, another name */
    LK_HOW_OBJECT,     /* the object itself is the synchronisation object */
    LK_HOW_INNER_LOCK, /* the `_lock` of a condition */
    LK_HOW_MODULE_LOCK,
    LK_HOW_FUTURE,
    LK_HOW_FUTURE_OR_ITEM, /* the future, or an item in the executor's own queue (asgiref) */
    LK_HOW_FUTURES,        /* a collection of futures; local return_when says how many are needed */
    LK_HOW_ANY_FUTURE,     /* a collection of futures, the next one is enough */
    LK_HOW_JOIN,
    LK_HOW_JOIN_WORKERS,
    LK_HOW_JOIN_ALL, /* interpreter exit */
    LK_HOW_LOOP,
    LK_HOW_WORKER, /* idle pool worker */
    LK_HOW_IDLE,   /* for work, or events: whose it is its own reader says */
    LK_HOW_SELECT, /* what the operating system says */
    LK_HOW_CHILD,  /* the object's process id */
    LK_HOW_SLEEP,
    LK_HOW_AS_COMPLETED, /* the futures that feed the queue */
    LK_HOW_GROUP,        /* the tasks of a task group */
    LK_HOW_TRANSPORT,    /* the peer of the object's transport */
    LK_HOW_SOCKET,       /* the peer of a socket */
    LK_HOW_SERVER,       /* whoever connects to the server's sockets */
    LK_HOW_REMOTE,       /* the server that the object calls, by a library that polls in C */
    LK_HOW_NOTED,        /* the future that the object was entered as by the loop's reader */
    LK_HOW_FD,           /* the peer of a descriptor, a number; local timeout: of the whole wait */
};

/** Sorts of waits, for "may stand directly above". */
enum {
    LK_TAG_INNERMOST = 1 << 0, /* in `over`: the frame may itself be the one that blocks */
    LK_TAG_CONDITION = 1 << 1,
    LK_TAG_EVENT = 1 << 2,
    LK_TAG_SEMAPHORE = 1 << 3,
    LK_TAG_LOCK = 1 << 4,
    LK_TAG_QUEUE = 1 << 5,
    LK_TAG_FUTURE = 1 << 6,
    LK_TAG_JOIN = 1 << 7,
    LK_TAG_SHUTDOWN = 1 << 8,
    LK_TAG_IMPORT = 1 << 9,
    LK_TAG_SELECT = 1 << 10,
    LK_TAG_CHILD = 1 << 11,
    LK_TAG_BARRIER = 1 << 12,
    LK_TAG_IO = 1 << 13,
    LK_TAG_EXIT = 1 << 14,
    LK_TAG_TRAP = 1 << 15, /* the await by which a task of trio gives itself up */
    LK_TAG_PARK = 1 << 16, /* ... in a queue of tasks */
    LK_TAG_SLEEP = 1 << 17,
};

/**
 * One frame of a wait. A wait is the longest run of frames, innermost first, in which each frame's
 * row may stand over the one before. Its object, kind and name are those of the last row that is
 * not LK_HOW_KEEP (whose name still wins).
 */
struct lk_wait_row {
    const char *function;    /* co_name; NULL = any function of the file */
    const char *file;        /* end of co_filename */
    const char *local;       /* local that holds the object; NULL none */
    enum lk_known_class cls; /* which its value must be; LK_CLASS_OTHER = any */
    enum lk_wait_how how;
    enum lk_wait_kind kind;
    unsigned tag, over;
    const char *call; /* for sentences */
    unsigned traits;  /* of the wait that it makes (enum lk_wait_trait) */
};
/** A frame below which a call is entered again and again until the answer has come, or the time is
 * up that the local variable holds: None, never. */
struct lk_poll_row {
    const char *function, *file, *timeout;
};

extern const struct lk_poll_row lk_poll_rows[];
extern const size_t lk_n_poll_rows;
extern const struct lk_wait_row lk_thread_wait_rows[];
extern const size_t lk_n_thread_wait_rows;

#endif

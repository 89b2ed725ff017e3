/*
 * What the standard library (and the bridges everyone uses) looks like from outside, as data:
 * classes that matter, frames that mean a wait, callbacks that complete a future, coroutines and
 * functions that set one. Names are those of Lib/ in CPython 3.8 - 3.15; every row names its file.
 */
#ifndef LK_READ_PYTHON_WAITS_WAIT_TABLE_H
#define LK_READ_PYTHON_WAITS_WAIT_TABLE_H

#include "snapshot/snapshot.h"

/** What an object is to the readers of waits; subclasses count as their nearest known base. */
enum lk_known_class {
    LK_CLASS_OTHER = 0,
    LK_CLASS_LOOP,
    LK_CLASS_TASK,
    LK_CLASS_PYTASK,
    LK_CLASS_FUTURE,
    LK_CLASS_PYFUTURE,
    LK_CLASS_GATHER,
    LK_CLASS_CFUTURE, /* concurrent.futures.Future */
    LK_CLASS_POOL,
    LK_CLASS_PROCESS_POOL,
    LK_CLASS_CURRENT_THREAD_EXECUTOR,
    LK_CLASS_WORK_ITEM,
    LK_CLASS_THREAD,
    LK_CLASS_LOCK,
    LK_CLASS_RLOCK,
    LK_CLASS_PYRLOCK,
    LK_CLASS_MODULE_LOCK,
    LK_CLASS_SEMLOCK,
    LK_CLASS_CONDITION,
    LK_CLASS_EVENT,
    LK_CLASS_SEMAPHORE,
    LK_CLASS_BARRIER,
    LK_CLASS_QUEUE,
    LK_CLASS_SIMPLE_QUEUE,
    LK_CLASS_PY_SIMPLE_QUEUE,
    LK_CLASS_AIO_LOCK,
    LK_CLASS_AIO_CONDITION,
    LK_CLASS_AIO_EVENT,
    LK_CLASS_AIO_SEMAPHORE,
    LK_CLASS_AIO_BARRIER,
    LK_CLASS_AIO_QUEUE,
    LK_CLASS_TASK_GROUP,
    LK_CLASS_TIMEOUT,
    LK_CLASS_AS_COMPLETED,
    LK_CLASS_GENERATOR_CM,
    LK_CLASS_EXIT_STACK,
};

struct lk_class_row {
    const char *module, *name;
    enum lk_known_class cls;
    const char *kind; /* name in the report (locks) */
};
extern const struct lk_class_row lk_class_rows[];
extern const size_t lk_n_class_rows;

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
    LK_HOW_SELECT, /* what the operating system says */
    LK_HOW_CHILD,  /* the object's process id */
    LK_HOW_SLEEP,
    LK_HOW_AS_COMPLETED, /* the futures that feed the queue */
    LK_HOW_GROUP,        /* the tasks of a task group */
    LK_HOW_TRANSPORT,    /* the peer of the object's transport */
    LK_HOW_SOCKET,       /* the peer of a socket */
    LK_HOW_SERVER,       /* whoever connects to the server's sockets */
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
extern const struct lk_wait_row lk_thread_wait_rows[];
extern const size_t lk_n_thread_wait_rows;
extern const struct lk_wait_row lk_task_wait_rows[];
extern const size_t lk_n_task_wait_rows;

/** What a done-callback does. */
enum lk_callback_does {
    LK_CB_NOTHING = 0,        /* touches no future */
    LK_CB_COMPLETES,          /* completes the future (or feeds the queue) named by `var` */
    LK_CB_COMPLETES_WHEN_ALL, /* ... once all futures that have this callback are done */
    LK_CB_MAY_COMPLETE,       /* code of the program's own, which has the future at hand */
    /* the future that has the callback is completed by the one named by `var` */
    LK_CB_FOLLOWS,
};
struct lk_callback_row {
    const char *qualname; /* of the function */
    const char *file;     /* end of its file */
    /* free variable, attribute of self (methods) or, "0", first argument (partials, handles) */
    const char *var;
    enum lk_callback_does does;
    enum lk_future_origin origin;
};
extern const struct lk_callback_row lk_callback_rows[];
extern const size_t lk_n_callback_rows;

/** A frame of a function or coroutine that is known to complete a future it holds in a local. */
struct lk_setter_row {
    const char *function, *file, *local;
    const char *attr; /* attribute of the local that is the future; NULL = the local itself */
    bool works_on;    /* it runs a work item: the thread's works_on */
    enum lk_future_origin origin;
};
extern const struct lk_setter_row lk_setter_rows[];
extern const size_t lk_n_setter_rows;

#endif

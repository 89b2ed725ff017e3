/* What an object is to the readers, by its class. */
#ifndef LK_READ_PYTHON_READER_KNOWN_CLASS_H
#define LK_READ_PYTHON_READER_KNOWN_CLASS_H

#include "read/python/interpreter/interpreter.h"

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
    LK_CLASS_POOL_RESULT, /* multiprocessing.pool.AsyncResult */
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
    LK_CLASS_LIMITER, /* anyio.CapacityLimiter */
    LK_CLASS_AIO_BARRIER,
    LK_CLASS_AIO_QUEUE,
    LK_CLASS_GREEN_LOCK, /* of greenlets: they record who waits, their readers are the hubs' */
    LK_CLASS_GREEN_RLOCK,
    LK_CLASS_GREEN_SEMAPHORE,
    LK_CLASS_GREEN_EVENT,
    LK_CLASS_GREEN_QUEUE,
    LK_CLASS_ANYIO_LOCK,
    LK_CLASS_TRIO_LOCK, /* records its owner */
    LK_CLASS_TRIO_SEMAPHORE,
    LK_CLASS_TRIO_CONDITION,
    LK_CLASS_TRIO_EVENT,
    LK_CLASS_TRIO_LIMITER,
    LK_CLASS_TRIO_LOT,
    LK_CLASS_TRIO_CHANNEL, /* the state that both ends of a memory channel share */
    LK_CLASS_TRIO_TASK,
    LK_CLASS_TASK_GROUP,
    LK_CLASS_TIMEOUT,
    LK_CLASS_AS_COMPLETED,
    LK_CLASS_GENERATOR_CM,
    LK_CLASS_EXIT_STACK,
    LK_CLASS_SCOPED_SESSION,
    LK_CLASS_GREEN_GROUP, /* of greenlets, which it kills together */
};

struct lk_class_row;

/** Locks, conditions, events, semaphores, barriers, queues, channels. */
static inline bool lk_class_synchronizes(enum lk_known_class cls)
{
    return cls >= LK_CLASS_LOCK && cls <= LK_CLASS_TRIO_CHANNEL;
}

/** Class of an object by its nearest known base, remembered by type. *row (may be NULL) is the
 * table row. */
enum lk_known_class lk_py_known_class(struct lk_py *py, lk_addr obj,
                                      const struct lk_class_row **row);
/** Row of lk_class_rows + 1 of a type; 0 = none. */
size_t lk_py_class_row(struct lk_py *py, const struct lk_pytype *ty);
/** Class name without its module. */
const char *lk_py_class_label(struct lk_py *py, lk_addr obj);
/** Futures, tasks, and the queue of as_completed: what a callback may complete. */
bool lk_py_is_waitable(struct lk_py *py, lk_addr obj);

#endif

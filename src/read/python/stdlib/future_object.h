/* The fields of tasks and futures. */
#ifndef LK_READ_PYTHON_STDLIB_FUTURE_OBJECT_H
#define LK_READ_PYTHON_STDLIB_FUTURE_OBJECT_H

#include "read/python/reader/known_class.h"

/** The fields tasks and futures share, whether made in C or in Python. */
struct lk_aio_fut {
    enum lk_known_class cls;
    int state; /* 0 pending, 1 cancelled, 2 finished; -1 unknown */
    lk_addr loop, callback0, callbacks;
    lk_addr fut_waiter, coro, name; /* tasks */
    bool must_cancel;
};
bool lk_aio_read_fut(struct lk_py *py, lk_addr obj, struct lk_aio_fut *ret);
/** The frames of a task's coroutine and of all that it awaits, outermost first, instead of what
 * `frames` had; it is the caller's to free. False for what is no task that has one. */
bool lk_aio_await_chain(struct lk_py *py, lk_addr task, struct lk_pyframes *frames,
                        bool *truncated);
/** False for what is no task or future, and for one that is done. */
bool lk_aio_is_pending(struct lk_py *py, lk_addr future);

#endif

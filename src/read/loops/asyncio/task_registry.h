/* All tasks of the process. */
#ifndef LK_READ_LOOPS_ASYNCIO_TASK_REGISTRY_H
#define LK_READ_LOOPS_ASYNCIO_TASK_REGISTRY_H

#include "read/python/interpreter/interpreter.h"

/** Takes n tasks, LK_AIO_PREFETCH at most, whatever state they are in; false: no more of them. */
typedef bool (*lk_aio_task_taker)(struct lk_py *py, const lk_addr *tasks, size_t n);
void lk_aio_each_registered(struct lk_py *py, lk_aio_task_taker take);

/** Notes which coroutines stand on the threads' stacks; before any task is read. */
void lk_aio_index_running(struct lk_py *py);

/** A task that asyncio says is executing: of a loop, or of a thread. */
struct lk_aio_current {
    lk_addr loop; /* 0: the thread is known */
    struct lk_ref thread;
    lk_addr task;
};
struct lk_aio_currents {
    struct lk_aio_current *v;
    size_t n, cap;
};
void lk_aio_list_current(struct lk_py *py, struct lk_aio_currents *list);
/** A task that executes on that thread, though its frames are not there. */
void lk_aio_mark_current(struct lk_py *py, struct lk_ref task, struct lk_ref thread);

#endif

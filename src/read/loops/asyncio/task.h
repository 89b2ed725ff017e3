/* Tasks: state, await chain and stack. */
#ifndef LK_READ_LOOPS_ASYNCIO_TASK_H
#define LK_READ_LOOPS_ASYNCIO_TASK_H

#include "read/python/interpreter/interpreter.h"

enum { LK_AIO_PREFETCH = 1024 }; /* tasks whose pages are fetched together */

/** Brings in what reading these tasks will touch; n is LK_AIO_PREFETCH at most. */
void lk_aio_prefetch_tasks(struct lk_py *py, const lk_addr *tasks, size_t n);
/** Enters and reads a task unless it is finished. */
void lk_aio_add_if_pending(struct lk_py *py, lk_addr task);
/** Reads all tasks mentioned so far, and those they mention. */
void lk_aio_drain_tasks(struct lk_py *py);

#endif

/* Tasks: state, await chain and stack. */
#ifndef LK_READ_LOOPS_ASYNCIO_TASK_H
#define LK_READ_LOOPS_ASYNCIO_TASK_H

#include "read/python/stdlib/future_object.h"

enum { LK_AIO_PREFETCH = 1024 }; /* tasks whose pages are fetched together */

/** Brings in what reading these tasks will touch; n is LK_AIO_PREFETCH at most. */
void lk_aio_prefetch_tasks(struct lk_py *py, const lk_addr *tasks, size_t n);
/** Fills a task that was mentioned; its loop has been read. */
void lk_aio_read_task(struct lk_py *py, struct lk_ref task, const struct lk_aio_fut *f);

#endif

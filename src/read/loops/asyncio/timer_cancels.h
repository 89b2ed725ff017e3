/* Timers that are known to do nothing but cancel tasks. */
#ifndef LK_READ_LOOPS_ASYNCIO_TIMER_CANCELS_H
#define LK_READ_LOOPS_ASYNCIO_TIMER_CANCELS_H

#include "read/python/interpreter/interpreter.h"

enum { LK_AIO_MAX_CANCELLED = 4096 };

/**
 * The tasks that this callback cancels, where it is known to do nothing else; NULL where it is not,
 * or where there are more than LK_AIO_MAX_CANCELLED. Array in the snapshot's arena.
 */
lk_addr *lk_aio_timer_cancels(struct lk_py *py, lk_addr callback, size_t *n);
/** The tasks that an anyio cancel scope cancels; likewise. */
lk_addr *lk_aio_scope_cancels(struct lk_py *py, lk_addr scope, size_t *n);

#endif

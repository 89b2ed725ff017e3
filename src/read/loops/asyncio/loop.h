/* The fields of asyncio's own event loops, and what every loop has that keeps to its interface. */
#ifndef LK_READ_LOOPS_ASYNCIO_LOOP_H
#define LK_READ_LOOPS_ASYNCIO_LOOP_H

#include "read/python/reader/reader.h"

/** Reads an instance of asyncio.base_events.BaseEventLoop. */
void lk_aio_read_loop(struct lk_py *py, lk_addr obj, struct lk_ref loop);
/** Sets run and thread by closed and thread_ident, which are read. */
void lk_aio_set_run(struct lk_py *py, struct lk_loop *o);

#endif

/* Futures of the snapshot: their fields, and who will complete them. */
#ifndef LK_READ_LOOPS_ASYNCIO_FUTURE_ENDERS_H
#define LK_READ_LOOPS_ASYNCIO_FUTURE_ENDERS_H

#include "read/python/interpreter/interpreter.h"

/** Fills a future that was mentioned, and puts it onto the list of those whose enders are to be
 * found. */
void lk_aio_read_future(struct lk_py *py, struct lk_ref future);
/** Finds the enders of all futures mentioned so far, and of those they lead to. */
void lk_aio_find_enders(struct lk_py *py);

#endif

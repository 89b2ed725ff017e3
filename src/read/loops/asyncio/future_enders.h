/* Futures of the snapshot: their fields, and who will complete them. */
#ifndef LK_READ_LOOPS_ASYNCIO_FUTURE_ENDERS_H
#define LK_READ_LOOPS_ASYNCIO_FUTURE_ENDERS_H

#include "read/python/interpreter/interpreter.h"

/** Fills a future that was mentioned, and puts it onto the list of those whose enders are to be
 * found. */
void lk_aio_read_future(struct lk_py *py, struct lk_ref future);
/** Finds the enders of one future, and mentions them. */
void lk_aio_find_enders(struct lk_py *py, struct lk_ref future);
/** ... among hand-written callbacks, when all others have been found. */
void lk_aio_find_enders_by_hand(struct lk_py *py, struct lk_ref future);
/** Mentions a future that a callback completes. The enders of one that was known before are found
 * again, with the new source; a list that does not settle is told as one that is not complete. */
void lk_aio_mention_relay(struct lk_py *py, lk_addr target);

#endif

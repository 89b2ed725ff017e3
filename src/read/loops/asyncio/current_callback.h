/* Which callback a loop runs now. */
#ifndef LK_READ_LOOPS_ASYNCIO_CURRENT_CALLBACK_H
#define LK_READ_LOOPS_ASYNCIO_CURRENT_CALLBACK_H

#include "read/python/reader/reader.h"

/** By the loop's _run_once frame. */
void lk_aio_read_current_callback(struct lk_py *py, struct lk_ref loop,
                                  const struct lk_pyf *run_once);
/** True for a moment of the monotonic clock that has been, and not too long ago. */
bool lk_aio_is_moment(struct lk_py *py, int64_t ms);
/** How often the deque was changed. */
bool lk_aio_queue_changes(struct lk_py *py, lk_addr deque, uint64_t *ret);
/** id: what never comes again; began_ms: when the turn began, LK_UNKNOWN; first: the callback is
 * the first of its turn. */
void lk_aio_set_turn(struct lk_py *py, struct lk_ref loop, uint64_t id, int64_t began_ms,
                     bool first);

#endif

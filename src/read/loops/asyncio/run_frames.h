/* Which loops each thread runs, and for whose sake. */
#ifndef LK_READ_LOOPS_ASYNCIO_RUN_FRAMES_H
#define LK_READ_LOOPS_ASYNCIO_RUN_FRAMES_H

#include "read/python/interpreter/interpreter.h"

/** Mentions the loops that a thread runs. */
void lk_aio_mention_drivers(struct lk_py *py, size_t thread);
/** After those were read: which loops a thread runs. */
void lk_aio_read_drivers(struct lk_py *py, size_t thread);
/** After the tasks are known: what a thread runs its innermost loop for. What that may be only if
 * it is of that loop is mentioned and returned, to be set when it has been read; else NONE. */
struct lk_ref lk_aio_read_until(struct lk_py *py, size_t thread);
void lk_aio_set_until(struct lk_py *py, size_t thread, struct lk_ref until);

#endif

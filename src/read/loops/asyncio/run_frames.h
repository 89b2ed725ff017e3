/* Which loops each thread runs, and for whose sake. */
#ifndef LK_READ_LOOPS_ASYNCIO_RUN_FRAMES_H
#define LK_READ_LOOPS_ASYNCIO_RUN_FRAMES_H

#include "read/python/interpreter/interpreter.h"

/** Which loops each thread runs. */
void lk_aio_read_drivers(struct lk_py *py);
/** After the tasks are known: what each thread runs its innermost loop for. */
void lk_aio_read_until(struct lk_py *py);

#endif

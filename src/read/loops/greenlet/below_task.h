/* Code without await that a coroutine runs in a greenlet of its own, and that awaits by way of it.
 */
#ifndef LK_READ_LOOPS_GREENLET_BELOW_TASK_H
#define LK_READ_LOOPS_GREENLET_BELOW_TASK_H

#include "read/python/interpreter/interpreter.h"

/**
 * Puts the frames of such greenlets into a task's await chain (outermost first), each behind the
 * coroutine that runs it. What could not be read is left out.
 */
void lk_greenlet_join_chain(struct lk_py *py, struct lk_pyframes *chain);

#endif

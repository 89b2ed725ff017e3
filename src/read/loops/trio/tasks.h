/* Tasks of trio. */
#ifndef LK_READ_LOOPS_TRIO_TASKS_H
#define LK_READ_LOOPS_TRIO_TASKS_H

#include "read/python/interpreter/interpreter.h"

/** Enters all tasks of the loop, with state, stack and wait. */
void lk_trio_read_tasks(struct lk_py *py, struct lk_ref loop);

#endif

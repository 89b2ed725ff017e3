/* What a task of trio waits for. */
#ifndef LK_READ_LOOPS_TRIO_TASK_WAIT_H
#define LK_READ_LOOPS_TRIO_TASK_WAIT_H

#include "read/python/waits/match.h"

/** The wait of a suspended task that is not ready; frames outermost first. False when they do not
 * end where tasks give themselves up. */
bool lk_trio_task_wait(struct lk_py *py, struct lk_ref task, const struct lk_pyframes *frames);

#endif

/* What each task waits for. */
#ifndef LK_READ_PYTHON_WAITS_TASK_WAIT_H
#define LK_READ_PYTHON_WAITS_TASK_WAIT_H

#include "read/python/stdlib/future_object.h"
#include "read/python/waits/match.h"

/** The wait of a suspended task; frames outermost first. rows: NULL when no frame is of a wait row.
 * Returns whether one is. */
bool lk_py_task_wait(struct lk_py *py, struct lk_ref task, const struct lk_aio_fut *f,
                     const struct lk_pyframes *frames, const struct lk_wait_rows *rows);

#endif

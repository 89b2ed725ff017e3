/* Calls that poll for the result of a job of a task queue: one wait, whatever they do at the
 * moment. */
#ifndef LK_READ_PYTHON_WAITS_JOB_RESULT_H
#define LK_READ_PYTHON_WAITS_JOB_RESULT_H

#include "read/python/interpreter/interpreter.h"

/**
 * Makes a wait in the middle of such a call the call's: what it waits for, its time and its
 * timeout, by the frame that makes the slices. Nothing where no frame is one.
 */
void lk_py_read_job_result(struct lk_py *py, const struct lk_pyframes *frames, bool innermost_first,
                           struct lk_wait *w);

#endif

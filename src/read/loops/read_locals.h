/* The variables of user frames of chosen threads and tasks, for --locals. */
#ifndef LK_READ_LOOPS_READ_LOCALS_H
#define LK_READ_LOOPS_READ_LOCALS_H

#include "read/python/interpreter/interpreter.h"

/**
 * Sets the locals of the user frames of these parties, whose stacks become their own. After
 * everything else that is read of a process: the pages of the sample are forgotten. py is NULL
 * where there is no Python.
 */
void lk_py_read_locals(struct lk_py *py, struct lk_snapshot *s, const struct lk_refs *of);

#endif

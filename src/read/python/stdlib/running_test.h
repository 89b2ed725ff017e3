/* Which of unittest's tests the main thread runs. */
#ifndef LK_READ_PYTHON_STDLIB_RUNNING_TEST_H
#define LK_READ_PYTHON_STDLIB_RUNNING_TEST_H

#include "read/python/python.h"

/** Fills s->unit_test, once the stacks are read. */
void lk_py_read_running_test(struct lk_py *py);

#endif

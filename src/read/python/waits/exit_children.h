/* What the children of a process do that ends, and may wait for them. */
#ifndef LK_READ_PYTHON_WAITS_EXIT_CHILDREN_H
#define LK_READ_PYTHON_WAITS_EXIT_CHILDREN_H

#include "read/python/python.h"

/** Fills children[].does where the main thread is in the interpreter's end; else asks nobody. */
void lk_py_read_exit_children(struct lk_py *py);

#endif

/* Whether the chosen layout fits this process. */
#ifndef LK_READ_PYTHON_INTERPRETER_LAYOUT_CHECK_H
#define LK_READ_PYTHON_INTERPRETER_LAYOUT_CHECK_H

#include "read/python/interpreter/interpreter.h"

/** Checks it, and takes from live types what changed within a minor version. False: py->why_not. */
bool lk_layout_check(struct lk_py *py);

#endif

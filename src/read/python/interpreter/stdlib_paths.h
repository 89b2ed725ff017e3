/* Which code is the standard library's. */
#ifndef LK_READ_PYTHON_INTERPRETER_STDLIB_PATHS_H
#define LK_READ_PYTHON_INTERPRETER_STDLIB_PATHS_H

#include "read/python/interpreter/interpreter.h"

/** True for code of the standard library. */
bool lk_py_of_stdlib(struct lk_py *py, const struct lk_code *c);

#endif

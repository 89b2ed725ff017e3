/* Which code is the standard library's, and which that of an installed package. */
#ifndef LK_READ_PYTHON_INTERPRETER_STDLIB_PATHS_H
#define LK_READ_PYTHON_INTERPRETER_STDLIB_PATHS_H

#include "read/python/interpreter/interpreter.h"

/** True for code of the standard library. */
bool lk_py_of_stdlib(struct lk_py *py, const struct lk_code *c);
/** A file of the standard library or of an installed package: not the program's own. */
bool lk_py_is_library(struct lk_py *py, const char *file);

#endif

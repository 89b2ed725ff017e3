/* Functions made in C that a frame may be calling. */
#ifndef LK_READ_PYTHON_INTERPRETER_BUILTIN_CALLS_H
#define LK_READ_PYTHON_INTERPRETER_BUILTIN_CALLS_H

#include "read/python/interpreter/interpreter.h"

/** Fills the callees of the thread whose frame it is. */
void lk_py_read_builtin_calls(struct lk_py *py, const struct lk_pyf *f, struct lk_thread *t);

#endif

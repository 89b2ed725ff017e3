/* The runtime of one process: interpreter, layout, and the begin of a sample. */
#ifndef LK_READ_PYTHON_INTERPRETER_RUNTIME_H
#define LK_READ_PYTHON_INTERPRETER_RUNTIME_H

#include "read/python/interpreter/interpreter.h"

/** Starts a sample: forgets the last one and looks up interpreter and sys.modules again. */
void lk_py_begin(struct lk_py *py, struct lk_snapshot *s);

#endif

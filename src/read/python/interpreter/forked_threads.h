/* Threads of the parent that a forked child still names. */
#ifndef LK_READ_PYTHON_INTERPRETER_FORKED_THREADS_H
#define LK_READ_PYTHON_INTERPRETER_FORKED_THREADS_H

#include "read/python/interpreter/interpreter.h"

/** True when this is the process's pid as it counts itself. */
bool lk_py_own_pid(struct lk_py *py, int32_t pid);
/** False when no thread of this process has, or is about to have, this ident. */
bool lk_py_ident_may_live(struct lk_py *py, uint64_t ident);
/** True when the ident is proven to be of a thread that a fork left in the parent. */
bool lk_py_left_in_parent(struct lk_py *py, uint64_t ident);

#endif

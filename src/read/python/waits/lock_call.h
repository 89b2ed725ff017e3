/* Locks that a thread enters directly. */
#ifndef LK_READ_PYTHON_WAITS_LOCK_CALL_H
#define LK_READ_PYTHON_WAITS_LOCK_CALL_H

#include "read/python/interpreter/interpreter.h"

/** The lock that a thread whose innermost frame this is sleeps on, when the kernel says it is in a
 * futex. */
bool lk_wait_in_lock(struct lk_py *py, const struct lk_syscall_wait *os, const struct lk_pyf *f,
                     struct lk_wait *w);
/** A function of this name, made in C, stands on the value stack: the call that this frame has not
 * come back from. */
bool lk_py_calls_builtin(struct lk_py *py, const struct lk_pyf *f, const char *name);

#endif

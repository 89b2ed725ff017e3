/* The signal handlers that a Python program has installed. */
#ifndef LK_READ_PYTHON_STDLIB_SIGNAL_HANDLERS_H
#define LK_READ_PYTHON_STDLIB_SIGNAL_HANDLERS_H

#include "read/python/interpreter/interpreter.h"

/**
 * Reads the table of handlers where the process catches signals at all, and says in the snapshot
 * whether one of them is the program's own and may act (own_handlers).
 */
void lk_py_read_signal_handlers(struct lk_py *py);
/** The code is that of a function that signal.signal() was given. */
bool lk_py_is_handler(struct lk_py *py, lk_addr code);
/** It is the program's own, and able to end somebody's wait. */
bool lk_py_handler_is_own(struct lk_py *py, lk_addr callable);
/**
 * Whether a handler may give the lock back. LK_NO: all are known, none is the program's own, and
 * none of a library's calls release() on it.
 */
enum lk_tri lk_py_handlers_release(struct lk_py *py, lk_addr lock);

#endif

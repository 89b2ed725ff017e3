/* Which sockets each thread has at hand. */
#ifndef LK_READ_PYTHON_STDLIB_REACHABLE_SOCKETS_H
#define LK_READ_PYTHON_STDLIB_REACHABLE_SOCKETS_H

#include "read/python/interpreter/interpreter.h"

/** Sets threads[].sockets, where it matters. */
void lk_py_read_reachable_sockets(struct lk_py *py);

#endif

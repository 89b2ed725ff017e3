/* Who serves the connections that a process makes to itself. */
#ifndef LK_READ_LOOPS_SERVED_CONNECTIONS_H
#define LK_READ_LOOPS_SERVED_CONNECTIONS_H

#include "read/python/interpreter/interpreter.h"

/** Fills s->served_connections, when all waits are known. */
void lk_py_find_served_connections(struct lk_py *py);

#endif

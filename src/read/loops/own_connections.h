/* A process's own connections to the party that one of its threads or tasks waits for. */
#ifndef LK_READ_LOOPS_OWN_CONNECTIONS_H
#define LK_READ_LOOPS_OWN_CONNECTIONS_H

#include "read/python/interpreter/interpreter.h"

/** Fills s->own_connections, when all waits are known. */
void lk_py_find_own_connections(struct lk_py *py);

#endif

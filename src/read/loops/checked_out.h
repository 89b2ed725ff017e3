/* SQLAlchemy's pools of connections: who waits for one, and who has those that are checked out. */
#ifndef LK_READ_LOOPS_CHECKED_OUT_H
#define LK_READ_LOOPS_CHECKED_OUT_H

#include "read/python/interpreter/interpreter.h"

/** When all waits are known: who waits for a pool all connections of which were found in somebody's
 * hands waits for a unit of it. */
void lk_py_find_checked_out(struct lk_py *py);

#endif

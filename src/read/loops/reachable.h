/* Loops in reach of the program. */
#ifndef LK_READ_LOOPS_REACHABLE_H
#define LK_READ_LOOPS_REACHABLE_H

#include "read/python/interpreter/interpreter.h"

/** Mentions every loop (and thread pool) in reach. */
void lk_py_search_reachable(struct lk_py *py);
/** Gives locks and queues the names under which that search has met them. */
void lk_py_name_locks(struct lk_py *py);

#endif

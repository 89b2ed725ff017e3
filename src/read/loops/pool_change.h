/* What would let a starved pool go on. */
#ifndef LK_READ_LOOPS_POOL_CHANGE_H
#define LK_READ_LOOPS_POOL_CHANGE_H

#include "read/python/interpreter/interpreter.h"

/** Code of the program gives pools more workers, or a thread at work calls off what is queued. */
bool lk_pools_may_change(struct lk_py *py);

#endif

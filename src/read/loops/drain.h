/* The work lists of what was mentioned, and who reads what is on them. */
#ifndef LK_READ_LOOPS_DRAIN_H
#define LK_READ_LOOPS_DRAIN_H

#include "read/python/interpreter/interpreter.h"

/** Reads what was mentioned, and what that mentions, until nothing new is; tasks stay on their
 * list. */
void lk_drain(struct lk_py *py);
/** The same, and the tasks: after the queues and timers of all loops. */
void lk_drain_tasks(struct lk_py *py);
/** Enters and reads those that asyncio's registries list and that are not finished. */
void lk_read_registered(struct lk_py *py);
/** Finds who will complete the futures mentioned so far, and those that this leads to. */
void lk_find_enders(struct lk_py *py);

#endif

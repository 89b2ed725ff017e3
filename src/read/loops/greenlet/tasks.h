/* Greenlets as tasks of the snapshot. */
#ifndef LK_READ_LOOPS_GREENLET_TASKS_H
#define LK_READ_LOOPS_GREENLET_TASKS_H

#include "read/python/interpreter/interpreter.h"

/** Enters all suspended greenlets with their Python frames: struct lk_loop_kind, read_tasks. */
void lk_greenlet_read_tasks(struct lk_py *py, const lk_addr *greenlets, size_t n, bool all);
/** When the readers of hubs have told what they wait for: struct lk_loop_kind, finish_tasks. */
void lk_greenlet_finish_tasks(struct lk_py *py);
/** When what that mentioned has been read: settle_tasks. */
void lk_greenlet_settle_tasks(struct lk_py *py);

#endif

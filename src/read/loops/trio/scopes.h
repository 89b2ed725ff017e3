/* Cancel scopes and nurseries that a task of trio is in. */
#ifndef LK_READ_LOOPS_TRIO_SCOPES_H
#define LK_READ_LOOPS_TRIO_SCOPES_H

#include "read/python/interpreter/interpreter.h"

/** Milliseconds until a deadline around the task cancels what it is in; LK_FOREVER none,
 * LK_UNKNOWN one that could not be read. */
int64_t lk_trio_deadline(struct lk_py *py, lk_addr loop, lk_addr task);
/** Calls fn for each scope, and each nursery, by which the task can be cancelled, and each
 * task_status by which its start() can go on. */
void lk_trio_each_scope(struct lk_py *py, lk_addr task,
                        void (*fn)(struct lk_py *py, lk_addr scope, void *arg), void *arg);
/** A task of these frames goes on when everybody in one of the scopes has ended: it leaves that
 * nursery. */
bool lk_trio_outlasts(struct lk_py *py, const struct lk_pyframes *frames,
                      const struct lk_map *scopes);

#endif

/* trio's loop, the Runner. */
#ifndef LK_READ_LOOPS_TRIO_LOOP_H
#define LK_READ_LOOPS_TRIO_LOOP_H

#include "read/python/interpreter/interpreter.h"

/** An attribute that is not None; 0. */
lk_addr lk_trio_attr(struct lk_py *py, lk_addr obj, const char *name);
void lk_trio_read_loop(struct lk_py *py, lk_addr obj, struct lk_ref loop);
/** By the frame of run(), whose generator makes the steps: the task that makes a step. */
void lk_trio_read_current(struct lk_py *py, struct lk_ref loop, const struct lk_pyf *driver);
/** The main task; trio.run() returns when it has ended. 0 before it has begun. */
lk_addr lk_trio_main_task(struct lk_py *py, lk_addr loop);
/** A moment of the loop's clock in milliseconds of the monotonic one; LK_FOREVER for one that never
 * comes, LK_UNKNOWN where the clock is not trio's own. */
int64_t lk_trio_moment(struct lk_py *py, lk_addr loop, double when);

#endif

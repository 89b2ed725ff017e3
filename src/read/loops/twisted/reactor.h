/* Twisted's own reactors. */
#ifndef LK_READ_LOOPS_TWISTED_REACTOR_H
#define LK_READ_LOOPS_TWISTED_REACTOR_H

#include "read/python/interpreter/interpreter.h"

void lk_twisted_read_reactor(struct lk_py *py, lk_addr obj, struct lk_ref loop);
/** By the frame of runUntilCurrent: which calls of the queue have been made. */
void lk_twisted_read_current(struct lk_py *py, struct lk_ref loop, const struct lk_pyf *driver);

#endif

/* The driver of the readers of loops, tasks and waits: called in this order. */
#ifndef LK_READ_LOOPS_READ_H
#define LK_READ_LOOPS_READ_H

#include "read/python/interpreter/interpreter.h"

/** Starts with nothing known. Whoever mentions something outside of the steps below calls it first,
 * and drains what he mentioned (drain.h). */
void lk_loops_begin(struct lk_py *py);
/** Running loops, loops in frames and module globals. */
void lk_py_read_loops(struct lk_py *py);
/** All tasks, their loops, await chains. */
void lk_py_read_tasks(struct lk_py *py);
/** What each thread and task waits for. */
void lk_py_read_waits(struct lk_py *py);
/** Counts pending tasks and adds what the kernel knows to loops. */
void lk_loops_finish(struct lk_py *py);

#endif

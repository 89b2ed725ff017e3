/* eventlet's pool of threads. */
#ifndef LK_READ_LOOPS_EVENTLET_THREAD_POOL_H
#define LK_READ_LOOPS_EVENTLET_THREAD_POOL_H

#include "read/python/interpreter/interpreter.h"

/** The pool of eventlet.tpool, if there is one, after the waits were entered. */
void lk_eventlet_read_pool(struct lk_py *py);

#endif

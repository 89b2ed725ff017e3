/* gevent's pool of threads. */
#ifndef LK_READ_LOOPS_GEVENT_THREAD_POOL_H
#define LK_READ_LOOPS_GEVENT_THREAD_POOL_H

#include "read/python/interpreter/interpreter.h"

/** A gevent.threadpool.ThreadPool, after the waits were entered. */
void lk_gevent_read_pool(struct lk_py *py, lk_addr pool);

#endif

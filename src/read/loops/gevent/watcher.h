/* Watchers of gevent's loops: who sleeps, waits for a descriptor, or has a timeout. */
#ifndef LK_READ_LOOPS_GEVENT_WATCHER_H
#define LK_READ_LOOPS_GEVENT_WATCHER_H

#include "read/python/interpreter/interpreter.h"

/** Notes the greenlets that an active watcher will wake. */
void lk_gevent_read_watcher(struct lk_py *py, lk_addr watcher);

#endif

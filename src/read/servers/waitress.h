/* waitress's pool of threads. */
#ifndef LK_READ_SERVERS_WAITRESS_H
#define LK_READ_SERVERS_WAITRESS_H

#include "read/python/interpreter/interpreter.h"

/** obj: the ThreadedTaskDispatcher that the thread works for. */
void lk_waitress_read_pool(struct lk_py *py, lk_addr obj, struct lk_ref thread);

#endif

/* What threads wait for that a reactor of Twisted is to do. */
#ifndef LK_READ_LOOPS_TWISTED_CALLS_H
#define LK_READ_LOOPS_TWISTED_CALLS_H

#include "read/python/interpreter/interpreter.h"

/** Enters, as futures, the calls of blockingCallFromThread that threads wait for, and the reactor's
 * pool of threads. */
void lk_twisted_read_calls(struct lk_py *py);

#endif

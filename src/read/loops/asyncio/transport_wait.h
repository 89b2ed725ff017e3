/* Tasks that wait for the other end of a connection, whichever client library they do it through.
 */
#ifndef LK_READ_LOOPS_ASYNCIO_TRANSPORT_WAIT_H
#define LK_READ_LOOPS_ASYNCIO_TRANSPORT_WAIT_H

#include "read/python/interpreter/interpreter.h"

/**
 * Of the tasks that await something which nobody is known to complete: those that await what the
 * protocol of a transport holds, which is in the hands of the code that awaits. They wait for that
 * transport's peer. Called once, when the enders of futures are known.
 */
void lk_aio_find_transports(struct lk_py *py);

#endif

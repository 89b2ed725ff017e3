/* Ready queue and timers of a loop: handles, the tasks they step, the futures they complete. */
#ifndef LK_READ_LOOPS_ASYNCIO_READY_QUEUE_H
#define LK_READ_LOOPS_ASYNCIO_READY_QUEUE_H

#include "read/python/reader/reader.h"

/** One handle as read from the process. */
struct lk_aio_handle {
    lk_addr addr, callback, args;
    enum lk_tri cancelled;
    double when; /* timers */
    bool timed;
};

/** Reads a handle of the loop at that address into h, of which addr is set; false when it is none.
 */
typedef bool (*lk_aio_handle_reader)(struct lk_py *py, lk_addr loop, struct lk_aio_handle *h);
/** asyncio.Handle, asyncio.TimerHandle. */
bool lk_aio_read_handle(struct lk_py *py, lk_addr loop, struct lk_aio_handle *h);

/** Reads the ready queue (a deque of handles) into the snapshot and the indexes. */
void lk_aio_read_ready(struct lk_py *py, struct lk_ref loop, lk_addr ready,
                       lk_aio_handle_reader read_handle);
/** asyncio.TimerHandle: when is set too. */
bool lk_aio_read_timer(struct lk_py *py, lk_addr loop, struct lk_aio_handle *h);
/** Reads the timers, a list or set of handles; true when all of them were. */
bool lk_aio_read_timers(struct lk_py *py, struct lk_ref loop, lk_addr scheduled,
                        lk_aio_handle_reader read_timer);

#endif

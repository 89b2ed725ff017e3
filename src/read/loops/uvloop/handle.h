/* The callbacks in uvloop's ready queue, and its timers. */
#ifndef LK_READ_LOOPS_UVLOOP_HANDLE_H
#define LK_READ_LOOPS_UVLOOP_HANDLE_H

#include "read/loops/asyncio/ready_queue.h"

bool lk_uvloop_read_handle(struct lk_py *py, lk_addr loop, struct lk_aio_handle *h);
/** A uvloop.loop.TimerHandle. */
bool lk_uvloop_is_timer(struct lk_py *py, lk_addr obj);
bool lk_uvloop_read_timer(struct lk_py *py, lk_addr loop, struct lk_aio_handle *h);

#endif

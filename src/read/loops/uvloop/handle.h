/* The callbacks in uvloop's ready queue. */
#ifndef LK_READ_LOOPS_UVLOOP_HANDLE_H
#define LK_READ_LOOPS_UVLOOP_HANDLE_H

#include "read/loops/asyncio/ready_queue.h"

bool lk_uvloop_read_handle(struct lk_py *py, lk_addr loop, struct lk_aio_handle *h);

#endif

/* The fields of a uvloop.Loop. */
#ifndef LK_READ_LOOPS_UVLOOP_LOOP_H
#define LK_READ_LOOPS_UVLOOP_LOOP_H

#include "read/python/reader/reader.h"

void lk_uvloop_read_loop(struct lk_py *py, lk_addr obj, struct lk_ref loop);

#endif

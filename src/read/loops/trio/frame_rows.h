/* Waits of trio's tasks, by the frames of their coroutines. */
#ifndef LK_READ_LOOPS_TRIO_FRAME_ROWS_H
#define LK_READ_LOOPS_TRIO_FRAME_ROWS_H

#include "read/python/waits/wait_table.h"

extern const struct lk_wait_row lk_trio_wait_rows[];
extern const size_t lk_n_trio_wait_rows;

#endif

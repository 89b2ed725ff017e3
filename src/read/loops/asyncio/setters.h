/* Frames that are known to set a future. */
#ifndef LK_READ_LOOPS_ASYNCIO_SETTERS_H
#define LK_READ_LOOPS_ASYNCIO_SETTERS_H

#include "read/python/interpreter/interpreter.h"

/** Notes every frame of lk_setter_rows among these; by: whose frames they are. Returns how many
 * there are. */
size_t lk_aio_note_setters(struct lk_py *py, const struct lk_pyframes *frames, struct lk_ref by);
/** The first n frames are of a task that executes on this stack: what their coroutines set, the
 * task sets. */
void lk_aio_hand_setters(struct lk_py *py, const struct lk_pyframes *frames, size_t n,
                         struct lk_ref task);

#endif

/* Tasks that await what belongs to another loop. */
#ifndef LK_READ_LOOPS_ASYNCIO_CROSS_LOOP_H
#define LK_READ_LOOPS_ASYNCIO_CROSS_LOOP_H

#include "read/python/stdlib/future_object.h"

/** Notes what a suspended task awaits that belongs to another loop; frames outermost first. */
void lk_aio_note_cross_loop(struct lk_py *py, struct lk_ref task, const struct lk_aio_fut *f,
                            const struct lk_pyframes *frames);
/** After all tasks and waits are read: primitives that other loops' code has at hand. */
void lk_aio_finish_cross_loop(struct lk_py *py);

#endif

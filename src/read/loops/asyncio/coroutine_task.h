/* Tasks made of coroutines, whichever loop runs them. */
#ifndef LK_READ_LOOPS_ASYNCIO_COROUTINE_TASK_H
#define LK_READ_LOOPS_ASYNCIO_COROUTINE_TASK_H

#include "read/python/reader/reader.h"

/** Name of the coroutine; stack: of the task, which knows it best. */
const char *lk_coro_name(struct lk_py *py, lk_addr coro, const struct lk_pystack *stack);
/** A chain (outermost first) as an interned stack (innermost first); equal chains are recognised
 * before any line is decoded. */
struct lk_aio_chain *lk_coro_chain(struct lk_py *py, const struct lk_pyframes *chain,
                                   bool truncated);
/** An ASGI application is called in the chain, for a request of HTTP. */
bool lk_coro_serves_http(struct lk_py *py, const struct lk_pyframes *chain);
/** The thread on whose stack a coroutine executes. */
bool lk_coro_thread(struct lk_py *py, lk_addr coro, uint64_t *thread);
/** A task whose coroutine executes there. */
void lk_coro_set_running(struct lk_py *py, struct lk_ref task, size_t thread, lk_addr coro);

#endif

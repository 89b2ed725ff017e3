/* Pools of threads to which greenlets hand work that would block their hub. */
#ifndef LK_READ_LOOPS_GREENLET_POOL_H
#define LK_READ_LOOPS_GREENLET_POOL_H

#include "read/python/interpreter/interpreter.h"

/** Enters a pool by the address of an object of its own; queued: pieces of work that no thread has
 * taken up. */
struct lk_ref lk_hub_pool(struct lk_py *py, lk_addr obj, const char *kind, int64_t max_workers,
                          int64_t queued);
/** A thread of it; NONE is none. */
void lk_hub_pool_worker(struct lk_py *py, struct lk_ref pool, struct lk_ref thread);
/** A piece of work whose result comes by this event: whoever waits for that waits for the thread
 * that does the work, or for the pool in whose queue it stands. */
void lk_hub_job(struct lk_py *py, lk_addr event, struct lk_ref by);
/** Who waits for this semaphore waits for the pool: with so many pieces of work. */
void lk_hub_pool_limit(struct lk_py *py, struct lk_ref pool, lk_addr semaphore);

#endif

/* What a thread or task cannot go on before, however many tasks, threads and futures stand between.
 */
#ifndef LK_READ_LOOPS_AWAITED_H
#define LK_READ_LOOPS_AWAITED_H

#include "snapshot/snapshot.h"

/**
 * Fills ret with the addresses of locks, events, queues and the like, and of futures that nobody is
 * known to complete, that who waits for, itself or through what it waits for; waits with a timeout,
 * and for any one of several, end before.
 * @param locks  what the owner of a lock waits for is waited for by who waits for the lock, too.
 * @return how many, at most max.
 */
size_t lk_awaited_things(const struct lk_snapshot *s, struct lk_ref who, bool locks, lk_addr *ret,
                         size_t max);

#endif

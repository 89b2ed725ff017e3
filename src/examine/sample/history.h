/*
 * What earlier samples said, kept as digests: by thread, task, loop, future and lock one number
 * that changes when its position or wait changes. Tells the last snapshot what is stable, what
 * moved and how long it has stood still.
 */
#ifndef LK_EXAMINE_SAMPLE_HISTORY_H
#define LK_EXAMINE_SAMPLE_HISTORY_H

#include "snapshot/snapshot.h"

struct lk_history;

struct lk_history *lk_history_create(void);
void lk_history_destroy(struct lk_history *h);
/**
 * Enters one sample taken at_ms after the first and writes stable, moved, stuck_ms, cpu_delta_us
 * and the like into s. tids that moved since the sample before are returned in the snapshot's
 * arena.
 */
void lk_history_add(struct lk_history *h, struct lk_snapshot *s, int64_t at_ms, int64_t **moved,
                    size_t *n_moved);

/**
 * Enters the loops and greenlets that only a walk over the heap has found, which comes after its
 * sample: stable are those that all earlier walks have found the same.
 */
void lk_history_add_found(struct lk_history *h, struct lk_snapshot *s, int64_t at_ms);

/** True when the wait ends by itself and is entered again (a poll interval, the GIL): being
 * scheduled is then no progress. */
bool lk_wait_is_timed(const struct lk_thread *t);

#endif

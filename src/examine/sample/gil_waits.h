/*
 * What is remembered of threads that wait for the GIL, for the samples that meet them awake.
 *
 * Facts: ceval_gil.h (3.8 to 3.12), ceval_gil.c (3.13 to 3.15), take_gil(): a thread leaves it with
 * the GIL only, and only its holder can give that up, for which it must run. Until then the thread
 * wakes every switch interval (5 ms), asks and sleeps again; on a loaded machine it is met on its
 * way to a processor more often than asleep.
 */
#ifndef LK_EXAMINE_SAMPLE_GIL_WAITS_H
#define LK_EXAMINE_SAMPLE_GIL_WAITS_H

#include "process/process.h"
#include "snapshot/snapshot.h"

/** A thread that was asleep in take_gil(), and the holder that has slept ever since. */
struct lk_gil_wait {
    struct lk_thread_facts waiter, holder;
    size_t holder_at; /* its place in the list of threads */
};

struct lk_gil_waits {
    struct lk_gil_wait *v;
    size_t n, cap;
    struct lk_thread_list last; /* the threads as the sample before listed them */
};

/** Remembers who waits for the GIL in s, which was read of the threads in list; forgets the rest.
 */
void lk_gil_waits_keep(struct lk_gil_waits *w, const struct lk_snapshot *s,
                       const struct lk_thread_list *list);
/**
 * Gives running threads of list back the call they were seen asleep in, where the GIL's holder has
 * not run since: they cannot have left it. Whether they moved between two looks stays to be seen.
 */
void lk_gil_waits_recall(const struct lk_gil_waits *w, struct lk_thread_list *list);
void lk_gil_waits_deinit(struct lk_gil_waits *w);

#endif

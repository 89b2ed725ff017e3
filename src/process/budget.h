/*
 * What the reading of one process may cost. Bounds of single walks multiply: a hostile process has
 * a thousand objects that each reach as far as one may. So all of them share one budget, which is
 * asked where they all pass: every read of memory, and of files that it names. Once it is spent
 * nothing more can be read (ETIME), so that each walk ends as at any other read that fails.
 */
#ifndef LK_PROCESS_BUDGET_H
#define LK_PROCESS_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lk_process;

struct lk_budget {
    unsigned cpu_ms;          /* of the thread that reads; 0: no limit */
    size_t bytes;             /* that it allocates meanwhile; 0: no limit */
    volatile const int *stop; /* becomes nonzero when it shall end; or NULL */
    unsigned stop_ms[2];      /* how long it may go on then: when that is above, below zero */
};

/** How much of it is gone. */
struct lk_spending {
    const char *why; /* the budget is spent; NULL: it is not */
    unsigned looks;
    uint64_t cpu_end_us, stop_us; /* 0: never; stop was not seen yet */
    size_t used_before;
};

/** Begins a new budget, as of now. Without one there is no limit. */
void lk_process_set_budget(struct lk_process *t, const struct lk_budget *b);
/** What of the budget is spent, as the beginning of a sentence; NULL: nothing. */
const char *lk_process_spent(struct lk_process *t);

#endif

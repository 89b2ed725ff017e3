/* Which sample an examination takes next, told from the diagnosis of the last one. */
#ifndef LK_EXAMINE_NEXT_STEP_H
#define LK_EXAMINE_NEXT_STEP_H

#include "diagnose/rules/rules.h"

/** What a sample is taken for, in the order in which one may follow another. */
enum lk_step {
    LK_STEP_SAMPLE,      /* one of those asked for */
    LK_STEP_SECOND_LOOK, /* shortly after the last: decides what one sample alone cannot */
    LK_STEP_WATCH,       /* once the accused have been watched for --stalled-after */
    LK_STEP_NONE
};

/** After a step whose sample, the n_samples'th of all, was diagnosed. */
enum lk_step lk_step_after(enum lk_step last, size_t n_samples, const struct lk_look_again *again);

#endif

/* Children of an examined process: which of them were to be examined too and were not. */
#ifndef LK_EXAMINE_CHILDREN_H
#define LK_EXAMINE_CHILDREN_H

#include "examine/examine.h"

/** The process is one of those that are examined in the same run. */
bool lk_is_examined(const struct lk_examine_options *o, int64_t pid);
/** Whether all that s->children lists are examined in the same run, but for those that began while
 * the processes to examine were being listed. */
bool lk_all_children_examined(const struct lk_process *target, const struct lk_examine_options *o,
                              const struct lk_snapshot *s);
/** At the end: children that have ended meanwhile are nobody's to look at any more. */
void lk_forget_ended_children(const struct lk_process *target, struct lk_snapshot *s);

#endif

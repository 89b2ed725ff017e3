/* The process of an examination: one that lives, that was captured, or whose core was dumped;
 * recorded where that is asked for. */
#ifndef LK_EXAMINE_TARGET_H
#define LK_EXAMINE_TARGET_H

#include "examine/examine.h"

/** NULL with err. */
struct lk_process *lk_target_open(pid_t pid, const struct lk_examine_options *o,
                                  struct lk_error *err);
/** t may be NULL. What was recorded goes to the capture. */
void lk_target_close(struct lk_process *t, const struct lk_examine_options *o);
/** Says in its limits what a capture does not hold. */
void lk_target_note_gaps(const struct lk_process *t, const struct lk_examine_options *o,
                         struct lk_snapshot *s);

#endif

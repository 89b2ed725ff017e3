/*
 * Waits that other processes of the same run can end (struct lk_cross_wait).
 */
#ifndef LK_DIAGNOSE_RULES_CROSS_PROCESS_WAITS_H
#define LK_DIAGNOSE_RULES_CROSS_PROCESS_WAITS_H

#include "diagnose/rules/context.h"

/** The next of a thread's waits (by index) after one of them, or its first; NULL. */
const struct lk_cross_wait *lk_next_cross_wait(const struct lk_rule_context *c, size_t thread,
                                               const struct lk_cross_wait *after);
/** Says what the processes are up to that could end a thread's wait, where they were examined too.
 */
void lk_finding_say_cross_waits(struct lk_rule_context *c, struct lk_finding *f,
                                struct lk_ref thread);

#endif

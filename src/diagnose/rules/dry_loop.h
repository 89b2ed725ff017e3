/*
 * A loop to which nothing can come any more: for LK410.
 */
#ifndef LK_DIAGNOSE_RULES_DRY_LOOP_H
#define LK_DIAGNOSE_RULES_DRY_LOOP_H

#include "diagnose/rules/context.h"

/** It sleeps with nothing ready, no timer and no descriptor but its own, and each of its tasks
 * waits, without a timeout, for something that only code of this process ends. */
bool lk_loop_is_dry(const struct lk_rule_context *c, struct lk_ref loop);
/** A thread runs a loop for a test or a job: the task of it on which that waits in the end; none
 * elsewhere. */
struct lk_ref lk_dry_wait(const struct lk_rule_context *c, struct lk_ref thread);

#endif

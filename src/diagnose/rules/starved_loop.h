/*
 * LK401 from outside of the loop: its thread is kept from running by a thread that sleeps with the
 * GIL in its hands.
 */
#ifndef LK_DIAGNOSE_RULES_STARVED_LOOP_H
#define LK_DIAGNOSE_RULES_STARVED_LOOP_H

#include "diagnose/rules/context.h"

/** Tells of the loop; false when nobody keeps the GIL from its thread. */
bool lk_tell_starved_loop(struct lk_rule_context *c, struct lk_ref loop);

#endif

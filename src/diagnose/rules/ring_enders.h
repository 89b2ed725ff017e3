/* Who may end a ring of tasks from outside: timers of its loops, and whoever has a member at hand.
 */
#ifndef LK_DIAGNOSE_RULES_RING_ENDERS_H
#define LK_DIAGNOSE_RULES_RING_ENDERS_H

#include "diagnose/rules/cycle_search.h"

/** The tasks of the cycle await each other themselves, and it is known that cancelling one of them
 * ends nothing then. */
bool lk_ring_is_direct(const struct lk_rule_context *c, const struct lk_wait_cycle *k);
/** Fills timer, watcher and enders_unread, and adds what timers end to timed and left_ms. */
void lk_weigh_ring_enders(const struct lk_rule_context *c, struct lk_wait_cycle *k);

#endif

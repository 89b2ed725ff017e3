/* Requests in a call that polls. */
#ifndef LK_DIAGNOSE_RULES_POLLS_IN_VAIN_H
#define LK_DIAGNOSE_RULES_POLLS_IN_VAIN_H

#include "diagnose/rules/context.h"

/**
 * A thread that works for a request is in one call that sleeps in short slices; nothing changes in
 * it, and nobody was found who gets on and whom it may wait for.
 */
bool lk_polls_in_vain(const struct lk_rule_context *c, struct lk_ref thread);

#endif

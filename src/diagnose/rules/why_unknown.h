/*
 * Why it cannot be said that all is well.
 */
#ifndef LK_DIAGNOSE_RULES_WHY_UNKNOWN_H
#define LK_DIAGNOSE_RULES_WHY_UNKNOWN_H

#include "diagnose/rules/context.h"

/** One sentence; NULL when it can be said. Asks for more watching where that may decide. */
const char *lk_why_unknown(struct lk_rule_context *c);

#endif

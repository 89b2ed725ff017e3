/*
 * The table of rules, by id, and the order in which they are looked for.
 */
#ifndef LK_DIAGNOSE_RULES_RULE_TABLE_H
#define LK_DIAGNOSE_RULES_RULE_TABLE_H

#include "diagnose/rules/rules.h"

/** By enum lk_rule_id. */
extern const struct lk_rule lk_rules[];
extern const size_t lk_n_rules;
/** Every rule once: the more specific before what it explains. */
extern const enum lk_rule_id lk_rule_order[];
/** NULL when there is none of that id ("LK101"). */
const struct lk_rule *lk_rule_by_id(const char *id);

#endif

/*
 * Looking a rule up by what a person types.
 */
#ifndef LK_DIAGNOSE_RULES_RULE_SEARCH_H
#define LK_DIAGNOSE_RULES_RULE_SEARCH_H

#include "diagnose/rules/rules.h"

/** By id ("LK101", "lk101", "101") or name, whatever the case; NULL when there is none. */
const struct lk_rule *lk_rule_by_word(const char *word);
/** The rule whose id or name is closest to a word that names none; never NULL. */
const struct lk_rule *lk_rule_nearest(const char *word);

#endif

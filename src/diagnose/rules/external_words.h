/* LK406: the finding in words. */
#ifndef LK_DIAGNOSE_RULES_EXTERNAL_WORDS_H
#define LK_DIAGNOSE_RULES_EXTERNAL_WORDS_H

#include "diagnose/rules/external_chain.h"
#include "diagnose/rules/long_waits.h"

/** What is at the end of the chain, with what else is known of it. */
const char *lk_external_name(const struct lk_rule_context *c, const struct lk_external_chain *x);
/** Files the finding: a group of waits and the chain of its first one. */
void lk_external_tell(struct lk_rule_context *c, const struct lk_wait_group *g,
                      const struct lk_external_chain *x);

#endif

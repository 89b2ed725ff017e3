/* Processes of runtimes that are not read. */
#ifndef LK_DIAGNOSE_RULES_OTHER_RUNTIME_H
#define LK_DIAGNOSE_RULES_OTHER_RUNTIME_H

#include "diagnose/rules/context.h"

/** Which threads of a runtime that is not read stand still, and with what its threads can be read,
 * in words of the context's arena; NULL where there are none, or it is no such process. */
const char *lk_stuck_in_other_runtime(struct lk_rule_context *c);

#endif

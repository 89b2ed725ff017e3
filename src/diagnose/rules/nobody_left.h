/* What a process waits for that nobody of it could end, without a finding. */
#ifndef LK_DIAGNOSE_RULES_NOBODY_LEFT_H
#define LK_DIAGNOSE_RULES_NOBODY_LEFT_H

#include "diagnose/rules/context.h"

/** A lock of multiprocessing, of a process that has no child left and is nobody's; NULL: none. */
const char *lk_shared_lock_of_nobody(struct lk_rule_context *c);

#endif

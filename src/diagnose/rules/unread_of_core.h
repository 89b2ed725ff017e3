/* What a core dump leaves out and a verdict of healthy needs. */
#ifndef LK_DIAGNOSE_RULES_UNREAD_OF_CORE_H
#define LK_DIAGNOSE_RULES_UNREAD_OF_CORE_H

#include "diagnose/rules/context.h"

/** A wait whose end only the kernel or another process knows, in words; NULL: there is none that
 * decides, or it is no core dump. */
const char *lk_unread_of_core(struct lk_rule_context *c);

#endif

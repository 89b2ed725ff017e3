/* Threads that sleep with the GIL in their hands. */
#ifndef LK_DIAGNOSE_RULES_KEPT_GIL_H
#define LK_DIAGNOSE_RULES_KEPT_GIL_H

#include "diagnose/rules/context.h"

/** What cannot be judged of such a thread, in words of the context's arena; NULL where there is
 * none that others wait for. One that has not slept for long enough is watched. */
const char *lk_gil_is_kept(struct lk_rule_context *c);

#endif

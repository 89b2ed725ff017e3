/*
 * LK404 of coroutines: requests that are tasks, wait for an answer of this very process, and hold
 * up whoever would give it.
 */
#ifndef LK_DIAGNOSE_RULES_ASKING_TASKS_H
#define LK_DIAGNOSE_RULES_ASKING_TASKS_H

#include "diagnose/rules/context.h"

/** Tells them. */
void lk_find_asking_tasks(struct lk_rule_context *c);

#endif

/*
 * The half of LK108 that goes through other processes.
 */
#ifndef LK_DIAGNOSE_RULES_CROSS_PROCESS_CYCLE_H
#define LK_DIAGNOSE_RULES_CROSS_PROCESS_CYCLE_H

#include "diagnose/rules/context.h"

/** Files a finding for each thread that waits for a process which in turn waits for this one. */
void lk_tell_process_cycles(struct lk_rule_context *c);

#endif

/*
 * One finder a rule, named after it, each called once with the context of one run (diagnose.c).
 * They stand in the files of their family; the table (rule_table.c) is their only caller.
 */
#ifndef LK_DIAGNOSE_RULES_FINDERS_H
#define LK_DIAGNOSE_RULES_FINDERS_H

#include "diagnose/rules/context.h"

void lk_find_loop_waits_on_itself(struct lk_rule_context *c);   /* LK101 */
void lk_find_cross_loop_cycle(struct lk_rule_context *c);       /* LK102 */
void lk_find_lock_cycle(struct lk_rule_context *c);             /* LK103 */
void lk_find_executor_starvation(struct lk_rule_context *c);    /* LK104 */
void lk_find_await_cycle(struct lk_rule_context *c);            /* LK105 */
void lk_find_lock_held_across_await(struct lk_rule_context *c); /* LK106 */
void lk_find_gil_inversion(struct lk_rule_context *c);          /* LK107 */
void lk_find_wait_cycle(struct lk_rule_context *c);             /* LK108 */
void lk_find_future_on_dead_loop(struct lk_rule_context *c);    /* LK201 */
void lk_find_orphaned_tasks(struct lk_rule_context *c);         /* LK202 */
void lk_find_lost_wakeup(struct lk_rule_context *c);            /* LK203 */
void lk_find_loop_lost_in_fork(struct lk_rule_context *c);      /* LK204 */
void lk_find_leaked_loops(struct lk_rule_context *c);           /* LK205 */
void lk_find_loop_per_request(struct lk_rule_context *c);       /* LK301 */
void lk_find_primitive_across_loops(struct lk_rule_context *c); /* LK302 */
void lk_find_loop_driven_twice(struct lk_rule_context *c);      /* LK303 */
void lk_find_mixed_loop_kinds(struct lk_rule_context *c);       /* LK304 */
void lk_find_run_forever_in_request(struct lk_rule_context *c); /* LK305 */
void lk_find_blocking_call_in_loop(struct lk_rule_context *c);  /* LK401 */
void lk_find_cpu_bound_callback(struct lk_rule_context *c);     /* LK402 */
void lk_find_workers_exhausted(struct lk_rule_context *c);      /* LK403 */
void lk_find_self_request(struct lk_rule_context *c);           /* LK404 */
void lk_find_unbounded_future_wait(struct lk_rule_context *c);  /* LK405 */
void lk_find_external_wait(struct lk_rule_context *c);          /* LK406 */
void lk_find_held_by_its_waiters(struct lk_rule_context *c);    /* LK407 */
void lk_find_exit_blocked(struct lk_rule_context *c);           /* LK408 */
void lk_find_stood_still(struct lk_rule_context *c);            /* LK409 */
void lk_find_nobody_left(struct lk_rule_context *c);            /* LK410 */
void lk_find_process_stopped(struct lk_rule_context *c);        /* LK501 */

#endif

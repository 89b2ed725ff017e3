/*
 * The callback that a loop's thread is in, for the rules LK401 and LK402.
 */
#ifndef LK_DIAGNOSE_RULES_LOOP_CALLBACK_H
#define LK_DIAGNOSE_RULES_LOOP_CALLBACK_H

#include "diagnose/rules/context.h"

/** Share of the watched time that a callback must have computed to be called busy. */
#define LK_BUSY_SHARE 0.5

/** The thread waits for something by which a callback would keep its loop. */
bool lk_is_blocking_wait(enum lk_wait_kind k);
/**
 * True when the innermost frames of the loop's thread belong to a callback of the loop: code
 * outside the standard library inside of its run call. At a debugger's prompt it is the developer
 * who holds the loop.
 */
bool lk_in_callback(const struct lk_rule_context *c, const struct lk_loop *o,
                    const struct lk_thread *t);
/** Since when the loop's thread has been in its present callback, at least; -1 when not known. */
int64_t lk_callback_age(const struct lk_rule_context *c, const struct lk_loop *o);
/** CPU time of the thread by watched time. */
double lk_cpu_share(const struct lk_rule_context *c, const struct lk_thread *t);
/** A callback that now computes and now waits is of those that compute. */
bool lk_computes_most(const struct lk_rule_context *c, const struct lk_loop *o,
                      const struct lk_thread *t);
/** Someone waits for the loop: other callbacks or tasks, requests behind it, or whoever asked for
 * the work item that runs it. */
bool lk_someone_waits_for_loop(const struct lk_rule_context *c, const struct lk_finding *f,
                               const struct lk_loop *o, const struct lk_thread *t);
/** The callback is a cell or a line that somebody entered at a kernel or a prompt. */
bool lk_is_cell(const struct lk_thread *t);
/**
 * Whom a callback is in the way of. f: with what is held up. False when nobody can be held up: the
 * loop is private to the coroutine (no other task, ready callback, timer or descriptor of its own),
 * or a cell that no task of the user's waits behind. A cell, and what a server does before it
 * listens, become a hazard, and f says why. *meanwhile: words for the summary.
 */
bool lk_weigh_callback(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref loop,
                       const struct lk_loop *o, const char **meanwhile);
const char *lk_who_waits_for_loop(const struct lk_rule_context *c, const struct lk_finding *f,
                                  const struct lk_loop *o);
/** Adds the parties, what they hold up, and the doubt that a running thread's frames leave. */
void lk_callback_finding(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref loop,
                         const struct lk_loop *o);
/** Evidence: the task whose step it is, the callback's age. */
void lk_say_callback_task(struct lk_rule_context *c, struct lk_finding *f,
                          const struct lk_thread *t);
void lk_say_callback_age(struct lk_rule_context *c, struct lk_finding *f, const struct lk_loop *o);
/** The rule's remedy, or where the loop's kind has a way of its own to leave its thread, that. */
const char *lk_offload_remedy(const struct lk_rule_context *c, const struct lk_finding *f,
                              const struct lk_loop *o);

#endif

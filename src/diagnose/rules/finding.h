/*
 * Making a finding: a finder starts one, adds what it saw, and files or drops it.
 */
#ifndef LK_DIAGNOSE_RULES_FINDING_H
#define LK_DIAGNOSE_RULES_FINDING_H

#include "diagnose/rules/context.h"

/** An empty finding: hazard, proven, times unknown, remedy of the rule. */
struct lk_finding lk_finding_start(const struct lk_rule_context *c, enum lk_rule_id rule);
/** Adds an entity to the list of its kind; a thread or task brings its culprit too when blame is
 * set. */
void lk_finding_part(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref r, bool blame);
/**
 * Blames the parties of a chain that is no ring, the one first that is nearest to its end, where
 * the cause is, and has a frame of the project's own. Those without one come after them, or with
 * only where there is no other.
 */
void lk_finding_blame_chain(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref who,
                            const struct lk_edge *chain, size_t n, bool only);
/** Whether the culprit of a thread or task is of the project: neither of an installed package nor
 * of the system. */
bool lk_is_project(const struct lk_rule_context *c, struct lk_ref thread_or_task);
/** Adds a culprit unless it is there. */
void lk_finding_blame(struct lk_finding *f, struct lk_culprit p);
struct lk_culprit lk_culprit_of_frame(const struct lk_pyframe *p, int64_t tid, const char *task);
struct lk_culprit lk_culprit_of(const struct lk_rule_context *c, struct lk_ref thread_or_task);
/** Adds edges and, as evidence, what each of them rests on; lowers the confidence to what they
 * allow. */
void lk_finding_chain(struct lk_rule_context *c, struct lk_finding *f, const struct lk_edge *edges,
                      size_t n);
void lk_finding_say(struct lk_rule_context *c, struct lk_finding *f, const char *fmt, ...)
    LK_PRINTF(3, 4);
void lk_finding_doubt(struct lk_finding *f, enum lk_confidence most);
/** For what is concluded from somebody's absence: less sure, and said so, where tasks may be
 * missing. */
void lk_finding_doubt_absence(struct lk_rule_context *c, struct lk_finding *f,
                              enum lk_confidence most);
/** Sets stuck_ms from a thread, when it is the shortest so far. */
void lk_finding_since(const struct lk_rule_context *c, struct lk_finding *f,
                      const struct lk_thread *t);
/** The same of a task. */
void lk_finding_since_task(const struct lk_rule_context *c, struct lk_finding *f,
                           const struct lk_task *k);
/** Counts requests and tasks that cannot go on before root does, root and the finding's threads
 * included. */
void lk_finding_held(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref root);
void lk_finding_held_by(struct lk_rule_context *c, struct lk_finding *f, const struct lk_ref *roots,
                        size_t n);
/**
 * Files the finding: caps its severity by rule and confidence, makes its fingerprint. False when it
 * was dropped because what it blames is already blamed.
 */
bool lk_finding_file(struct lk_rule_context *c, struct lk_finding *f);
/** A near miss: the rule fits these parties, but for what why says. Of many some are kept. */
void lk_rule_out(struct lk_rule_context *c, enum lk_rule_id rule, const struct lk_ref *who,
                 size_t n, const char *why);
/** Frees a finding that is not filed. */
void lk_finding_drop(struct lk_finding *f);

#endif

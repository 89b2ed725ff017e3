/*
 * The context of one run of the rules: what all finders look at, and what they ask of it.
 */
#ifndef LK_DIAGNOSE_RULES_CONTEXT_H
#define LK_DIAGNOSE_RULES_CONTEXT_H

#include "diagnose/rules/rules.h"

enum {
    LK_MAX_CHAIN = 256, /* edges of one finding */
    LK_MAX_CULPRITS = 32,
    LK_MAX_LISTED = 64,    /* entities of one kind in one finding */
    LK_MIN_BLOCK_MS = 100, /* a block shorter than that is not spoken of */
    /* asleep for that long: one look at it is enough for a proof; what wakes it would have by now
     */
    LK_ASLEEP_MS = 10,
    LK_TWO_SAMPLES_MS = 20, /* observed for that long: more than one sample was taken */
};

/** Context of one run of the rules. */
struct lk_rule_context {
    struct lk_snapshot *snap;
    struct lk_graph *graph;
    struct lk_findings *out;
    const struct lk_rule *rules;   /* the table, by enum lk_rule_id; set by lk_diagnose */
    struct lk_wait_cycles *cycles; /* found once (cycle_search.c); NULL before */
    bool *explained;       /* by thread: stuck because of something that a finding already says */
    bool *explained_tasks; /* the same by task */
    bool *serves;          /* by graph node: a request, or what a request waits for (requests.h) */
    bool *mark;            /* scratch, by graph node */
    const char *passing;   /* what a core dump shows, and not whether it lasts; NULL nothing */
    bool halted;           /* the whole process stands still: times without progress say nothing */
};

/*
 * Of a core dump there is one moment: it counts as the first and as the last sample, and as if it
 * had lasted for --stalled-after. What rests on that is never more than a hazard
 * (lk_finding_file).
 */

/** How long the thread is known to have made no progress; -1 when it moves, runs, or that is not
 * known. */
int64_t lk_stuck(const struct lk_rule_context *c, const struct lk_thread *t);
/** lk_stuck reached --stalled-after. */
bool lk_is_stalled(const struct lk_rule_context *c, const struct lk_thread *t);
/** How long the task is known to have been in its present wait; -1 when that is not known. */
int64_t lk_task_stuck(const struct lk_rule_context *c, const struct lk_task *k);
/** lk_task_stuck reached --stalled-after. */
bool lk_task_is_stalled(const struct lk_rule_context *c, const struct lk_task *k);
/** In two samples at least. */
bool lk_seen_twice(const struct lk_rule_context *c);
/** The descriptor by which others wake the loop has nothing to be read; of a core dump, where
 * wakeup_unread is LK_UNKNOWN, it may have nothing: who rests on it says so and is at most
 * possible.
 */
bool lk_may_be_unwoken(const struct lk_rule_context *c, const struct lk_loop *o);
/** Watched for --stalled-after; one moment stands for that, though it does not show it. */
bool lk_watched_long(const struct lk_rule_context *c);
/** More samples could still show that it is. */
bool lk_task_may_stall(const struct lk_rule_context *c, const struct lk_task *k);
/** More watching could still show that the thread is stalled (or moves). */
bool lk_may_stall(const struct lk_rule_context *c, const struct lk_thread *t);
/** Not only for an instant, as a thread that was seen in one sample of several may be. */
bool lk_seen_long_enough(const struct lk_rule_context *c, const struct lk_thread *t);
/** Marks all threads that cannot go on before r does (and r itself) as explained. */
void lk_explain(struct lk_rule_context *c, struct lk_ref r);
void lk_explain_all(struct lk_rule_context *c, const struct lk_ref *roots, size_t n);
/** Asks for more watching of a thread. */
void lk_watch(struct lk_rule_context *c, struct lk_ref thread);
/** The user frame that waits: the innermost frame outside the standard library at the wait; NULL.
 */
const struct lk_pyframe *lk_wait_caller(const struct lk_thread *t);
/** The loop runs in a greenlet that its thread has switched away from: what the thread does now is
 * no callback of it. */
bool lk_loop_is_switched_away(const struct lk_rule_context *c, const struct lk_loop *o);
/** The loop whose callbacks a thread runs (innermost); NULL. */
struct lk_loop *lk_loop_of_thread(const struct lk_rule_context *c, struct lk_ref thread);

/**
 * Tasks may exist that were not read, for the list of them was cut: what nobody is seen to do, one
 * of them may do.
 */
bool lk_tasks_may_be_missing(const struct lk_rule_context *c);
/** At its standard input, or a terminal: somebody may type. */
bool lk_waits_at_input(const struct lk_syscall_wait *os);
/** The whole process stands still (job control, freezer, a tracer's stop). */
bool lk_is_halted(const struct lk_snapshot *s);

#endif

/*
 * Long waits, told together where they are at one place for one thing.
 */
#ifndef LK_DIAGNOSE_RULES_LONG_WAITS_H
#define LK_DIAGNOSE_RULES_LONG_WAITS_H

#include "diagnose/rules/context.h"

/** Threads or tasks that wait at one place for one thing outside: one finding. */
struct lk_long_wait {
    struct lk_ref who;
    struct lk_ref last;             /* LK406: the party that waits for the outside */
    const char *end;                /* LK406: its name */
    const struct lk_pyframe *place; /* of the culprit; NULL */
    bool told;
};

struct lk_wait_group {
    struct lk_ref *who, *lasts; /* who waits; whom each of them waits for */
    size_t n;
};

/**
 * Of n waits, those like the first that nothing explains yet; several that wait for one party are
 * one wait. Marks them as told.
 */
void lk_wait_group_collect(const struct lk_rule_context *c, struct lk_long_wait *w, size_t n,
                           size_t first, struct lk_wait_group *g);
/** "thread a [1]", "3 threads (thread a [1] and 2 more)". */
const char *lk_wait_group_who(const struct lk_rule_context *c, const struct lk_wait_group *g);
/** Adds them to a finding. */
void lk_wait_group_add(struct lk_rule_context *c, struct lk_finding *f,
                       const struct lk_wait_group *g);
/**
 * A server's loop wakes many times a second, and is met awake. What was read then of tasks, futures
 * and locks, and is what an earlier sample saw while it slept, was not torn; what several samples
 * read alike while it ran is at least probable: true where there is such a link.
 */
bool lk_trust_what_stays(const struct lk_rule_context *c, struct lk_edge *e, size_t n);
/** What waits for the group is explained. */
void lk_wait_group_explain(struct lk_rule_context *c, const struct lk_wait_group *g);

#endif

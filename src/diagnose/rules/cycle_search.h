/*
 * The wait cycles of a process: found once, told by the rules LK101 to LK108.
 */
#ifndef LK_DIAGNOSE_RULES_CYCLE_SEARCH_H
#define LK_DIAGNOSE_RULES_CYCLE_SEARCH_H

#include "diagnose/rules/context.h"

struct lk_cycle_edges {
    struct lk_edge *v;
    size_t n, cap;
};

/** One cycle of waits as it will be told. The first n_cycle edges are a cycle, in order. */
struct lk_wait_cycle {
    enum lk_rule_id rule;
    struct lk_cycle_edges chain;
    size_t n_cycle;
    struct lk_ref root;
    /* distinct nodes of the cycle */
    size_t greenlets; /* of the tasks */
    size_t threads, loops, tasks, futures, locks, executors, others;
    bool gil, plain_locks; /* plain_locks: threads wait for locks and for nothing else */
    bool units;            /* of a semaphore: that is waited for, and no lock with one holder is */
    bool task_locks;       /* all locks of it name the task that holds them */
    /* through what any code may end; through what a known party alone ends */
    bool soft, hard;
    bool timed;
    int64_t left_ms; /* least timeout of the chain's members; LK_FOREVER */
    /* a timer of the program's own is the first to end it: what it calls; NULL */
    const char *timer;
    bool direct;           /* cancelling a task of it ends nothing (ring_enders.c) */
    struct lk_ref watcher; /* a thread or task that has a member at hand and may cancel it; none */
    const bool
        *held; /* by node: cannot go on before it, which the graph alone does not say; NULL */
    const struct lk_at_hand *callback; /* what is registered has one at hand; NULL */
    struct lk_ref failing; /* if this task fails, a wait for all of its group ends; none */
    bool enders_unread;    /* of those who may end it not all could be read */
    int64_t stuck_ms;      /* least of the chain's threads; -1 unknown */
    bool has_thread, may_stall, seen_long_enough;
    bool steady; /* every link of it was the same before */
    /* a link of it was read alike each time, but never while its thread stood still */
    bool only_alike;
    /* a task may end it: by cancelling a task of a loop that goes on, or an item in a pool's queue
     */
    bool tasks_may_end;
};

struct lk_wait_cycles {
    struct lk_wait_cycle *v;
    size_t n, cap;
};

/** All of them, by component of the graph; the same at each call. Belongs to the context. */
const struct lk_wait_cycles *lk_wait_cycles(struct lk_rule_context *c);
void lk_wait_cycles_destroy(struct lk_wait_cycles *w); /* w may be NULL */
/**
 * The ith party of the cycle holds a lock of it and waits for something that is none: which of the
 * two to give up is its choice.
 */
bool lk_cycle_holds_and_waits(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                              size_t i);

#endif

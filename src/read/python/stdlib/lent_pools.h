/*
 * Inside of lenders.c and the files beside it: pools of anything that is lent, who waits for one
 * and who has one of theirs, in one search of a sample.
 */
#ifndef LK_READ_PYTHON_STDLIB_LENT_POOLS_H
#define LK_READ_PYTHON_STDLIB_LENT_POOLS_H

#include "read/python/interpreter/interpreter.h"
#include "util/map.h"
#include "util/vec.h"

enum {
    LK_LENT_SEARCH = 500,     /* objects looked at from one object */
    LK_LENT_STEPS = 5,        /* from what is held to its pool: a response, its stream, its
                                 connection */
    LK_LENT_MAX_FRAMES = 24,  /* of a waiter, the innermost ones */
    LK_LENT_MAX_METHODS = 24, /* by which something is given back to one pool */
    LK_LENT_MAX_BACKS = 64,   /* such methods of all pools */
    LK_LENT_MAX_HITS = 8,     /* pools that one thing leads to */
};

/** A thread or a suspended task; frames innermost first. */
struct lk_lent_party {
    struct lk_ref ref;
    struct lk_pyframes frames;
};

struct lk_lent_waiter {
    uint32_t party;
    /* of its frames, the last one in a row that has the pool as `self`; -1: none, the innermost one
     * awaits what a method has returned */
    int64_t outermost;
    const char *method; /* the method's name */
};

/** An object in a method of which somebody waits. */
struct lk_lent_pool {
    lk_addr addr;
    LK_VEC(struct lk_lent_waiter) waiters;
    const char *back[LK_LENT_MAX_METHODS]; /* beside lk_lent_gives_back */
    size_t n_back;
    struct lk_refs sure, maybe;
    int64_t units; /* that sure ones have */
    bool lends;    /* chosen by a waiter */
};

struct lk_lent_search {
    struct lk_py *py;
    LK_VEC(struct lk_lent_party) parties;
    LK_VEC(struct lk_lent_pool) pools;
    /* what waiters stand in methods of -> index + 1 of the pool, 0: it is none */
    struct lk_map by_addr;
    const char *back[LK_LENT_MAX_BACKS]; /* by which something is given back to some pool, each
                                            once */
    size_t n_back;
    unsigned budget;               /* objects that may still be looked at */
    lk_addr hit[LK_LENT_MAX_HITS]; /* of the last look at an object: pools it led to */
    size_t n_hit;
};

/* ---- lent_pools.c -------------------------------------------------------------------- */

/** Methods by which something is given back, and taken; NULL ends them. */
extern const char *const lk_lent_gives_back[], *const lk_lent_takes[];
/** What lets somebody go on who waits: a method of the pool that names one gives back. */
extern const char *const lk_lent_lets_go[];

bool lk_lent_is_word(const char *const *words, const char *name);
bool lk_lent_has_back(const char *const *back, size_t n, const char *name);
/** The exit of a `with` gives something back: it is code that says so, or closes what it is of. */
bool lk_lent_exit_gives_back(struct lk_py *py, const struct lk_lent_pool *p, lk_addr manager);
/** Who enters the pool itself takes something of it until he leaves: a lock, a semaphore. */
bool lk_lent_enters_itself(struct lk_py *py, const struct lk_lent_pool *p);
/** By which of its own methods something is given back; like is the pool before, NULL. */
void lk_lent_find_methods(struct lk_lent_search *x, struct lk_lent_pool *p,
                          const struct lk_lent_pool *like);
/** NULL when it is none. */
struct lk_lent_pool *lk_lent_pool_at(struct lk_lent_search *x, lk_addr addr);
/** As which the party waits for the pool; NULL. */
const struct lk_lent_waiter *lk_lent_waiter_in(const struct lk_lent_pool *p, uint32_t party);

/* ---- pool_waiters.c ------------------------------------------------------------------ */

/** All threads and suspended tasks; false when there are too many. */
bool lk_lent_add_parties(struct lk_lent_search *x);
/** What they may wait for a unit of; false when there is none. */
bool lk_lent_add_pools(struct lk_lent_search *x);
/** It waits for something that any code may end, as a pool would be waited for. */
bool lk_lent_may_wait(struct lk_py *py, struct lk_ref who);
/** That wait; of a task in asyncio.wait_for() of up to 3.11 the inner task's. */
const struct lk_wait *lk_lent_wait(struct lk_py *py, struct lk_ref who);
/** What stands in its way: the future, event, condition or queue itself; 0. */
lk_addr lk_lent_object(struct lk_py *py, struct lk_ref who);

/* ---- pool_holders.c ------------------------------------------------------------------ */

/** Who has something of the pools. */
void lk_lent_find_holders(struct lk_lent_search *x);

#endif

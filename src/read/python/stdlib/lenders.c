/*
 * Pools of connections or of anything else that is lent, whatever their class: known by what their
 * users do (asyncpg/pool.py, aiohttp/connector.py, httpcore/_async/connection_pool.py,
 * psycopg_pool/pool.py, redis/connection.py and urllib3/connectionpool.py are of this kind). Who
 * waits in a method of one of which somebody was found to have something (pool_waiters.c,
 * pool_holders.c) waits for a unit of the pool, whatever future, event, condition or queue stands
 * in between.
 */
#include "read/python/stdlib/lenders.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/lent_pools.h"
#include "util/memory.h"

enum { MAX_LOOKS = 200000 }; /* objects looked at in one sample */

/* How many there are at most, where the pool or its queue says so; LK_UNKNOWN. */
static int64_t units_of(struct lk_py *py, const struct lk_lent_pool *p, const struct lk_wait *w)
{
    static const char *const fields[] = { "_maxsize",         "_max_size", "max_connections",
                                          "_max_connections", "_limit",    "maxsize" };
    const struct lk_lock *l = w->on.n == 1 ? lk_lock_at(py->s, w->on.v[0]) : NULL;
    const lk_addr of[] = { p->addr, l ? l->addr : 0 };
    for (size_t k = 0; k < LK_ARRAY_LEN(of); k++)
        for (size_t i = 0; of[k] && i < LK_ARRAY_LEN(fields); i++) {
            int64_t n;
            lk_addr v = lk_py_attr(py, of[k], fields[i]);
            if (v && lk_py_int(py, v, &n) && n > 0)
                return n;
        }
    return LK_UNKNOWN;
}

static bool timer_gives_back(struct lk_lent_search *x, const struct lk_lent_pool *p)
{
    for (size_t i = 0; i < x->py->timers.n; i++) {
        lk_addr func, self = 0, callback = x->py->timers.v[i].callback, args;
        lk_py_partial(x->py, callback, &callback, &args);
        if (!lk_py_method(x->py, callback, &func, &self) || self != p->addr)
            continue;
        const char *name = lk_py_callable_name(x->py, callback);
        if (lk_lent_is_word(lk_lent_gives_back, name) || lk_lent_has_back(p->back, p->n_back, name))
            return true;
    }
    return false;
}

/* Of several somebody was found to have something of the one whose method it has called. */
static struct lk_lent_pool *pool_asked(struct lk_lent_search *x, uint32_t party)
{
    for (size_t i = 0; i < x->pools.n; i++) {
        const struct lk_lent_waiter *w = lk_lent_waiter_in(&x->pools.v[i], party);
        if (w && w->outermost < 0 && x->pools.v[i].sure.n)
            return &x->pools.v[i];
    }
    return NULL;
}

/* The innermost of what it stands in a method of that somebody was found to have something of. */
static struct lk_lent_pool *pool_of(struct lk_lent_search *x, uint32_t party)
{
    const struct lk_wait *w = lk_lent_wait(x->py, x->parties.v[party].ref);
    const struct lk_pyframes *f = &x->parties.v[party].frames;
    struct lk_lent_pool *asked = pool_asked(x, party);
    if (asked)
        return asked;
    for (size_t i = 0; i < f->n && i < LK_LENT_MAX_FRAMES; i++) {
        lk_addr self = lk_py_local(x->py, &f->v[i], "self");
        struct lk_lent_pool *p = self ? lk_lent_pool_at(x, self) : NULL;
        if (!p || !p->sure.n)
            continue;
        int64_t all = units_of(x->py, p, w);
        return all != LK_UNKNOWN && p->units < all ? NULL : p;
    }
    return NULL;
}

static void wait_for_unit(struct lk_lent_search *x, struct lk_lent_pool *p, struct lk_ref who)
{
    struct lk_snapshot *s = x->py->s;
    struct lk_wait *w = lk_wait_of(x->py->s, who);
    struct lk_lock *before = w->on.n == 1 ? lk_lock_at(s, w->on.v[0]) : NULL;
    bool is_new;
    struct lk_ref ref = lk_snapshot_lock(s, p->addr, &is_new);
    if (before && before->addr != p->addr) {
        size_t kept = 0;
        for (size_t i = 0; i < before->waiters.n; i++)
            if (!lk_ref_eq(before->waiters.v[i], who))
                before->waiters.v[kept++] = before->waiters.v[i];
        before->waiters.n = kept;
    }
    struct lk_lock *l = lk_lock_at(s, ref);
    if (is_new)
        l->kind = lk_py_class_label(x->py, p->addr);
    lk_refs_add(s, &l->waiters, who);
    w->kind = LK_WAIT_SEMAPHORE;
    w->on = (struct lk_refs){ 0 };
    lk_refs_add(s, &w->on, ref);
    w->gate = lk_ref_make(LK_KIND_NONE, 0);
    w->complete = w->any = false;
    p->lends = true;
}

static void name_holders(struct lk_lent_search *x, struct lk_lent_pool *p)
{
    struct lk_lock *l = lk_lock_at(x->py->s, lk_snapshot_find(x->py->s, LK_KIND_LOCK, p->addr));
    if (!l)
        return;
    l->likely_enders = p->sure;
    for (size_t i = 0; i < p->maybe.n; i++)
        lk_refs_add(x->py->s, &l->likely_enders, p->maybe.v[i]);
    l->likely_for = "something of it is held by";
    l->units_known = true;
    l->units_held = p->units;
}

void lk_py_find_lenders(struct lk_py *py)
{
    struct lk_lent_search x = { .py = py, .budget = MAX_LOOKS };
    if (lk_lent_add_parties(&x) && lk_lent_add_pools(&x)) {
        lk_lent_find_holders(&x);
        for (uint32_t i = 0; i < x.parties.n && x.budget; i++) {
            struct lk_ref who = x.parties.v[i].ref;
            struct lk_lent_pool *p = lk_lent_may_wait(py, who) ? pool_of(&x, i) : NULL;
            if (p && !timer_gives_back(&x, p))
                wait_for_unit(&x, p, who);
        }
        for (size_t i = 0; i < x.pools.n; i++)
            if (x.pools.v[i].lends)
                name_holders(&x, &x.pools.v[i]);
    }
    for (size_t i = 0; i < x.parties.n; i++)
        lk_free(x.parties.v[i].frames.v);
    for (size_t i = 0; i < x.pools.n; i++)
        lk_free(x.pools.v[i].waiters.v);
    lk_free(x.parties.v);
    lk_free(x.pools.v);
    lk_map_deinit(&x.by_addr);
}

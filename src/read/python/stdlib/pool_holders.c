/*
 * Who has something of a pool: who is inside of a `with` that a waiter is about to enter, or of one
 * whose manager leads to the pool and whose exit gives something back; who has taken something of
 * it and is yet to give it back. No pool records its holders: those found are likely, never all
 * there may be.
 */
#include "read/python/stdlib/lent_pools.h"

#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/leads_to.h"
#include "read/python/reader/method_calls.h"
#include "read/python/reader/reader.h"

enum {
    MAX_RECEIVERS = 16, /* of one method in one code object */
    MAX_ASKED = 256,    /* waiters of one pool that are asked what they enter */
};

static void note_hit(struct lk_py *py, lk_addr obj, void *arg)
{
    (void)py;
    struct lk_lent_search *x = arg;
    if (x->n_hit < LK_LENT_MAX_HITS && lk_lent_pool_at(x, obj))
        x->hit[x->n_hit++] = obj;
}

/* The pools that an object leads to, without leading through another one. */
static void look(struct lk_lent_search *x, lk_addr from, unsigned steps)
{
    struct lk_leads_to l = { .each = &x->by_addr,
                             .met = note_hit,
                             .not_behind = true,
                             .data_only = true,
                             .arg = x,
                             .steps = steps,
                             .budget = LK_MIN(x->budget, (unsigned)LK_LENT_SEARCH) };
    unsigned before = l.budget;
    x->n_hit = 0;
    lk_py_leads_to(x->py, from, &l);
    x->budget -= before - l.budget;
}

static void add_holder(struct lk_lent_search *x, struct lk_lent_pool *p, struct lk_ref who,
                       bool sure)
{
    lk_refs_add(x->py->s, sure ? &p->sure : &p->maybe, who);
    p->units += sure;
}

/* ---- `with` blocks ---------------------------------------------------------------------- */

static bool enters(struct lk_py *py, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    return c && (strcmp(c->code->function, "__aenter__") == 0 ||
                 strcmp(c->code->function, "__enter__") == 0);
}

/* A waiter of the pool stands in the `__enter__` of such a manager; or of the very one, where that
 * is the pool. */
static bool is_entered(struct lk_lent_search *x, const struct lk_lent_pool *p, lk_addr manager)
{
    const struct lk_pytype *ty = lk_py_type(x->py, manager);
    for (size_t i = 0; ty && i < p->waiters.n && i < MAX_ASKED; i++) {
        const struct lk_pyframes *f = &x->parties.v[p->waiters.v[i].party].frames;
        for (size_t k = 0; k < f->n && k < LK_LENT_MAX_FRAMES; k++) {
            lk_addr self = enters(x->py, &f->v[k]) ? lk_py_local(x->py, &f->v[k], "self") : 0;
            if (self && (p->addr == manager ? self == manager : lk_py_type(x->py, self) == ty))
                return true;
        }
    }
    return false;
}

static void ask_blocks(struct lk_lent_search *x)
{
    const struct lk_reader *a = lk_reader(x->py);
    for (size_t i = 0; i < a->with_others.n && x->budget; i++) {
        lk_addr manager = a->with_others.v[i].manager;
        struct lk_lent_pool *self = lk_lent_pool_at(x, manager);
        if (self && (is_entered(x, self, manager) || lk_lent_enters_itself(x->py, self)))
            add_holder(x, self, a->with_others.v[i].holder, true);
        if (lk_map_get(&x->by_addr, manager, NULL))
            continue;
        look(x, manager, LK_LENT_STEPS);
        for (size_t k = 0; k < x->n_hit; k++) {
            struct lk_lent_pool *p = lk_lent_pool_at(x, x->hit[k]);
            if (is_entered(x, p, manager) || lk_lent_exit_gives_back(x->py, p, manager))
                add_holder(x, p, a->with_others.v[i].holder, true);
        }
    }
}

/* A waiter of the pool is about to enter what this generator is of. */
static bool is_begun(struct lk_lent_search *x, const struct lk_lent_pool *p, lk_addr code)
{
    for (size_t i = 0; i < p->waiters.n && i < MAX_ASKED; i++) {
        const struct lk_pyframes *f = &x->parties.v[p->waiters.v[i].party].frames;
        for (size_t k = 0; k < f->n && k < LK_LENT_MAX_FRAMES; k++)
            if (f->v[k].code == code && f->v[k].generator)
                return true;
    }
    return false;
}

/* It waits in what a `with` enters. */
static bool is_entering(struct lk_lent_search *x, const struct lk_lent_waiter *w)
{
    const struct lk_pyframes *f = &x->parties.v[w->party].frames;
    for (int64_t i = LK_MAX(w->outermost, 0); i < (int64_t)f->n && i <= w->outermost + 1; i++)
        if (enters(x->py, &f->v[i]))
            return true;
    return false;
}

/* It will let those go on who are about to enter another `with` of the same object: readers, and
 * who would write. Who waits in a `with` for news is told them by others. */
static bool lets_waiters_go(struct lk_lent_search *x, const struct lk_lent_pool *p,
                            const struct lk_pyf *f)
{
    const struct lk_lent_waiter *w = &p->waiters.v[0];
    const lk_addr bare = lk_lent_object(x->py, x->parties.v[w->party].ref);
    for (const char *const *m = lk_lent_lets_go; bare && is_entering(x, w) && *m; m++)
        if (lk_py_will_call_method_on(x->py, f, *m, bare) == LK_YES)
            return true;
    return false;
}

struct in_generator {
    struct lk_lent_search *x;
    const struct lk_with_generator *g;
    bool found;
};

static bool ask_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct in_generator *in = arg;
    struct lk_lent_search *x = in->x;
    struct lk_lent_pool *p = lk_lent_pool_at(x, value);
    (void)name;
    (void)py;
    if (p && !in->found &&
        (is_begun(x, p, in->g->frame.code) || lets_waiters_go(x, p, &in->g->frame))) {
        in->found = true;
        add_holder(x, p, in->g->holder, true);
    }
    if (in->found || lk_map_get(&x->by_addr, value, NULL))
        return true;
    look(x, value, LK_LENT_STEPS);
    in->found |= x->n_hit > 0;
    for (size_t i = 0; i < x->n_hit; i++)
        add_holder(x, lk_lent_pool_at(x, x->hit[i]), in->g->holder, true);
    return x->budget > 0;
}

static void ask_generators(struct lk_lent_search *x)
{
    const struct lk_reader *a = lk_reader(x->py);
    for (size_t i = 0; i < a->with_generators.n && x->budget; i++) {
        struct in_generator in = { x, &a->with_generators.v[i], false };
        lk_py_local_each(x->py, &in.g->frame, ask_local, &in);
    }
}

/* ---- code that takes and gives back ----------------------------------------------------- */

/* How many units of it the frame has by its own calls: taken and not given back so far. */
static int64_t balance(struct lk_lent_search *x, const struct lk_lent_pool *p,
                       const struct lk_pyf *f, bool taking)
{
    int64_t n = -(int64_t)taking;
    const char *method = p->waiters.v[0].method;
    for (const char *const *m = lk_lent_takes; *m; m++)
        n += lk_py_calls_before(x->py, f, *m, p->addr);
    if (!lk_lent_is_word(lk_lent_takes, method))
        n += lk_py_calls_before(x->py, f, method, p->addr);
    for (const char *const *m = lk_lent_gives_back; *m; m++)
        n -= lk_py_calls_before(x->py, f, *m, p->addr);
    for (size_t i = 0; i < p->n_back; i++)
        n -= lk_py_calls_before(x->py, f, p->back[i], p->addr);
    return n;
}

/* One place where the frame will give something back: to a pool, or it is something of one. */
static void ask_receiver(struct lk_lent_search *x, const struct lk_pyf *f, struct lk_ref who,
                         uint32_t party, int64_t frame, lk_addr receiver)
{
    struct lk_lent_pool *p = lk_lent_pool_at(x, receiver);
    if (p) {
        const struct lk_lent_waiter *w = lk_lent_waiter_in(p, party);
        if (w && frame <= w->outermost)
            return;
        bool taking = w && frame == w->outermost + 1;
        if (balance(x, p, f, taking) > 0)
            add_holder(x, p, who, true);
        else if (!w)
            add_holder(x, p, who, false);
        return;
    }
    if (lk_map_get(&x->by_addr, receiver, NULL) ||
        lk_py_known_class(x->py, receiver, NULL) != LK_CLASS_OTHER ||
        lk_py_kind(x->py, receiver) != LK_PYK_OTHER)
        return;
    look(x, receiver, LK_LENT_STEPS - 2);
    for (size_t i = 0; i < x->n_hit; i++)
        add_holder(x, lk_lent_pool_at(x, x->hit[i]), who, true);
}

static void ask_method(struct lk_lent_search *x, const struct lk_pyf *f, struct lk_ref who,
                       uint32_t party, int64_t frame, const char *method)
{
    lk_addr v[MAX_RECEIVERS];
    size_t n = lk_py_receivers_ahead(x->py, f, method, v, LK_ARRAY_LEN(v));
    for (size_t i = 0; i < n; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= v[k] == v[i];
        const struct lk_lent_pool *p = lk_lent_pool_at(x, v[i]);
        if (!again && (lk_lent_is_word(lk_lent_gives_back, method) ||
                       (p && lk_lent_has_back(p->back, p->n_back, method))))
            ask_receiver(x, f, who, party, frame, v[i]);
    }
}

static void ask_frame(struct lk_lent_search *x, const struct lk_pyf *f, struct lk_ref who,
                      uint32_t party, int64_t frame)
{
    const struct lk_pycode *c = lk_py_code(x->py, f->code);
    if (!c || lk_py_of_stdlib(x->py, c->code))
        return;
    for (const char *const *m = lk_lent_gives_back; *m; m++)
        ask_method(x, f, who, party, frame, *m);
    for (size_t i = 0; i < x->n_back; i++)
        ask_method(x, f, who, party, frame, x->back[i]);
}

static void ask_frames(struct lk_lent_search *x)
{
    const struct lk_reader *a = lk_reader(x->py);
    for (uint32_t i = 0; i < x->parties.n; i++) {
        const struct lk_lent_party *p = &x->parties.v[i];
        for (uint32_t k = 0; k < p->frames.n && x->budget; k++)
            ask_frame(x, &p->frames.v[k], p->ref, i, k);
    }
    for (size_t i = 0; i < a->with_generators.n && x->budget; i++)
        ask_frame(x, &a->with_generators.v[i].frame, a->with_generators.v[i].holder, UINT32_MAX, 0);
}

/* Whoever is at work in a method of it, and does not wait for it, may have something of it. */
static void ask_methods(struct lk_lent_search *x)
{
    for (uint32_t i = 0; i < x->parties.n; i++) {
        const struct lk_pyframes *f = &x->parties.v[i].frames;
        for (size_t k = 0; k < f->n; k++) {
            lk_addr self = lk_py_local(x->py, &f->v[k], "self");
            struct lk_lent_pool *p = self ? lk_lent_pool_at(x, self) : NULL;
            if (p && !lk_lent_waiter_in(p, i))
                add_holder(x, p, x->parties.v[i].ref, false);
        }
    }
}

void lk_lent_find_holders(struct lk_lent_search *x)
{
    ask_blocks(x);
    ask_generators(x);
    ask_frames(x);
    ask_methods(x);
}

/*
 * Pools of connections or of anything else that is lent, whatever their class: known by what their
 * users do. A waiter stands in a method of the pool (its frame's `self`), or gets from a queue;
 * others are inside of a `with` that the waiter is about to enter, or of one whose manager leads to
 * that pool and whose exit gives something back, or in code that has taken something of it and is
 * yet to give it back (Python's data model, __exit__ and __aexit__; asyncpg/pool.py, aiohttp/
 * connector.py, httpcore/_async/connection_pool.py, psycopg_pool/pool.py, redis/connection.py and
 * urllib3/connectionpool.py are of this kind). The waiter then waits for a unit of the pool,
 * whatever future, event, condition or queue stands in between. No pool records its holders: they
 * are likely, never all there may be.
 */
#include "read/python/stdlib/lenders.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/leads_to.h"
#include "read/python/reader/method_calls.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"
#include "util/memory.h"
#include "util/text.h"

enum {
    MAX_TASKS = 5000,   /* more are not asked each: it would take longer than the sample */
    MAX_LOOKS = 200000, /* objects looked at in one sample, ... */
    SEARCH = 500,       /* ... and from one object */
    STEPS = 5,          /* from what is held to its pool: a response, its stream, its connection */
    MAX_FRAMES = 24,    /* of a waiter, the innermost ones */
    MAX_FACADES = 64,
    MAX_NAMES = 1000,   /* of one code object */
    MAX_METHODS = 24,   /* by which something is given back to one pool */
    MAX_RECEIVERS = 16, /* of one method in one code object */
    MAX_BASES = 8,
    MAX_BACKS = 64,  /* such methods of all pools */
    MAX_ASKED = 256, /* waiters of one pool that are asked what they enter */
    MAX_HITS = 8,    /* pools that one thing leads to */
};

static const char *const gives_back[] = { "release", "release_conn", "release_connection",
                                          "put",     "put_nowait",   "putconn",
                                          "checkin", "give_back",    NULL };
static const char *const takes[] = { "get", "get_nowait", "acquire", "getconn", "checkout", NULL };
/* What lets somebody go on who waits: a method of the pool that names one gives back. */
static const char *const lets_go[] = { "put", "put_nowait", "notify",     "notify_all",
                                       "set", "release",    "set_result", NULL };
static const char *const leaves[] = { "close", "aclose", "__exit__", "__aexit__", NULL };

/** A thread or a suspended task; frames innermost first. */
struct party {
    struct lk_ref ref;
    struct lk_pyframes frames;
};

struct waiter {
    uint32_t party;
    uint32_t outermost; /* of its frames, the last one in a row that has the pool as `self` */
    const char *method; /* that one's function */
};

/** An object in a method of which somebody waits. */
struct pool {
    lk_addr addr;
    LK_VEC(struct waiter) waiters;
    const char *back[MAX_METHODS]; /* beside gives_back */
    size_t n_back;
    struct lk_refs sure, maybe;
    int64_t units; /* that sure ones have */
    bool lends;    /* chosen by a waiter */
};

struct search {
    struct lk_py *py;
    LK_VEC(struct party) parties;
    LK_VEC(struct pool) pools;
    /* what waiters stand in methods of -> index + 1 of the pool, 0: it is none */
    struct lk_map by_addr;
    const char *back[MAX_BACKS]; /* by which something is given back to some pool, each once */
    size_t n_back;
    unsigned budget;
    lk_addr hit[MAX_HITS]; /* of the last look(): pools it led to */
    size_t n_hit;
};

/* ---- names --------------------------------------------------------------------------------- */

static bool is_word(const char *const *words, const char *name)
{
    for (; *words; words++)
        if (strcmp(*words, name) == 0)
            return true;
    return false;
}

static bool has_back(const char *const *back, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(back[i], name) == 0)
            return true;
    return false;
}

/* more: n_more further words. */
static bool names_one(struct lk_py *py, lk_addr code, const char *const *words,
                      const char *const *more, size_t n_more)
{
    size_t n = 0;
    lk_addr *v = lk_py_items(py, lk_py_ptr(py, code + py->layout.co_names), MAX_NAMES, &n);
    for (size_t i = 0; v && i < n; i++) {
        char name[32];
        if (!lk_py_str_raw(py, v[i], name, sizeof name))
            continue;
        if (is_word(words, name) || has_back(more, n_more, name))
            return true;
    }
    return false;
}

static bool names_any(struct lk_py *py, lk_addr code, const char *const *words)
{
    return names_one(py, code, words, NULL, 0);
}

/* A manager of the standard library that closes (a selector, a file, a socket) is nothing that a
 * pool has lent; contextlib's are for the things of others. */
static bool is_stdlib_exit(struct lk_py *py, lk_addr code)
{
    const struct lk_pycode *c = lk_py_code(py, code);
    return c && lk_py_of_stdlib(py, c->code) &&
           strcmp(lk_base_name(c->code->file), "contextlib.py") != 0;
}

/* The exit of a `with` gives something back: it is code that says so, or closes what it is of. */
static bool exit_gives_back(struct lk_py *py, const struct pool *p, lk_addr manager)
{
    static const char *const exits[] = { "__exit__", "__aexit__" };
    const struct lk_pytype *ty = lk_py_type(py, manager);
    for (size_t i = 0; ty && i < LK_ARRAY_LEN(exits); i++) {
        lk_addr func = lk_py_type_attr(py, ty, exits[i]);
        lk_addr code = func ? lk_py_function_code(py, func) : 0;
        if (func && !code && lk_py_type_attr(py, ty, leaves[0]))
            return true;
        if (code && !is_stdlib_exit(py, code) &&
            (names_one(py, code, gives_back, p->back, p->n_back) || names_any(py, code, leaves)))
            return true;
    }
    return false;
}

static bool add_back(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct pool *p = arg;
    char name[32];
    lk_addr code = lk_py_kind(py, value) == LK_PYK_FUNCTION ? lk_py_function_code(py, value) : 0;
    if (code && lk_py_str_raw(py, key, name, sizeof name) && name[0] != '_' &&
        !is_word(gives_back, name) && strcmp(name, p->waiters.v[0].method) != 0 &&
        names_any(py, code, lets_go))
        p->back[p->n_back++] = lk_arena_strdup(py->s->arena, name);
    return p->n_back < MAX_METHODS;
}

/* By what the pool's own methods do; like is the pool before, NULL. */
static void find_methods(struct search *x, struct pool *p, const struct pool *like)
{
    struct lk_py *py = x->py;
    const struct lk_pytype *ty =
        lk_py_known_class(py, p->addr, NULL) == LK_CLASS_OTHER ? lk_py_type(py, p->addr) : NULL;
    if (like && lk_py_type(py, like->addr) == ty) {
        memcpy(p->back, like->back, sizeof p->back);
        p->n_back = like->n_back;
    }
    for (unsigned i = 0; ty && !p->n_back && (ty->flags & LK_TPFLAG_HEAPTYPE) && i < MAX_BASES;
         i++) {
        if (ty->dict)
            lk_py_dict_each(py, ty->dict, add_back, p);
        ty = ty->base ? lk_py_type_at(py, ty->base) : NULL;
    }
    for (size_t i = 0; i < p->n_back && x->n_back < MAX_BACKS; i++)
        if (!has_back(x->back, x->n_back, p->back[i]))
            x->back[x->n_back++] = p->back[i];
}

/* ---- who waits, in what ------------------------------------------------------------------------
 */

static void add_party(struct search *x, struct lk_ref ref, const struct lk_pyframes *frames,
                      bool innermost_first)
{
    struct party p = { .ref = ref };
    for (size_t i = 0; i < frames->n; i++)
        lk_vec_add(&p.frames, frames->v[innermost_first ? i : frames->n - 1 - i]);
    lk_vec_add(&x->parties, p);
}

static struct lk_wait *wait_of(struct lk_py *py, struct lk_ref who)
{
    struct lk_thread *t = lk_thread_at(py->s, who);
    struct lk_task *k = lk_task_at(py->s, who);
    return t ? &t->wait : k ? &k->wait : NULL;
}

static bool is_stdlib(struct lk_py *py, const struct lk_pystack *stack)
{
    for (uint32_t i = 0; i < stack->n; i++)
        if (!stack->frames[i].code || !lk_py_of_stdlib(py, stack->frames[i].code))
            return false;
    return stack->n > 0;
}

/* Up to 3.11 asyncio.wait_for() makes a task of what it is given: that is the one that waits, in
 * nothing but the standard library's code. None. */
static struct lk_ref waits_by(struct lk_py *py, struct lk_ref who)
{
    const struct lk_wait *w = wait_of(py, who);
    struct lk_ref on =
        w && w->kind == LK_WAIT_FUTURE && w->on.n == 1 ? w->on.v[0] : lk_ref_make(LK_KIND_NONE, 0);
    const struct lk_task *k = lk_task_at(py->s, on);
    return k && k->state == LK_TASK_PENDING && is_stdlib(py, k->stack)
               ? on
               : lk_ref_make(LK_KIND_NONE, 0);
}

static void read_chain(struct lk_py *py, const struct lk_task *k, struct lk_pyframes *chain)
{
    struct lk_aio_fut f;
    lk_addr leaf;
    const char *leaf_type;
    bool truncated = false;
    if (k->kind == LK_TASK_COROUTINE && k->state == LK_TASK_PENDING &&
        lk_aio_read_fut(py, k->addr, &f) && f.coro)
        lk_py_await_chain(py, f.coro, chain, &leaf, &leaf_type, &truncated);
}

static bool add_parties(struct search *x)
{
    struct lk_py *py = x->py;
    struct lk_pyframes chain = { 0 };
    if (py->s->tasks.n > MAX_TASKS)
        return false;
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        if (frames)
            add_party(x, lk_ref_make(LK_KIND_THREAD, i), frames, true);
    }
    for (size_t i = 0; i < py->s->tasks.n; i++) {
        struct lk_ref task = lk_ref_make(LK_KIND_TASK, i);
        const struct lk_task *by = lk_task_at(py->s, waits_by(py, task));
        chain.n = 0;
        read_chain(py, &py->s->tasks.v[i], &chain);
        if (by)
            read_chain(py, by, &chain);
        if (chain.n)
            add_party(x, task, &chain, false);
    }
    lk_free(chain.v);
    return true;
}

/* What a pool would be waited for by: something that any code may end. */
static const struct lk_wait *bare_wait(struct lk_py *py, struct lk_ref who)
{
    struct lk_ref by = waits_by(py, who);
    return wait_of(py, by.kind == LK_KIND_NONE ? who : by);
}

static bool may_wait_for_pool(struct lk_py *py, struct lk_ref who)
{
    const struct lk_wait *w = bare_wait(py, who);
    struct lk_ref on = w && w->on.n == 1 ? w->on.v[0] : lk_ref_make(LK_KIND_NONE, 0);
    const struct lk_future *f = lk_future_at(py->s, on);
    const struct lk_lock *l = lk_lock_at(py->s, on);
    switch (w ? w->kind : LK_WAIT_NONE) {
    case LK_WAIT_QUEUE_GET:
    case LK_WAIT_CONDITION:
    case LK_WAIT_EVENT: return l && !l->set;
    case LK_WAIT_FUTURE: return f && !f->concurrent && !f->enders.n;
    default: return false;
    }
}

static bool may_lend(struct lk_py *py, lk_addr obj)
{
    enum lk_known_class cls = obj ? lk_py_known_class(py, obj, NULL) : LK_CLASS_LOOP;
    return cls == LK_CLASS_QUEUE || cls == LK_CLASS_AIO_QUEUE ||
           (cls == LK_CLASS_OTHER && lk_py_kind(py, obj) == LK_PYK_OTHER);
}

static struct pool *pool_at(struct search *x, lk_addr addr)
{
    uint64_t i;
    return lk_map_get(&x->by_addr, addr, &i) && i ? &x->pools.v[i - 1] : NULL;
}

static void add_waiter(struct search *x, lk_addr addr, struct waiter w)
{
    struct pool *p = pool_at(x, addr);
    if (!p) {
        lk_vec_add(&x->pools, ((struct pool){ .addr = addr }));
        lk_map_put(&x->by_addr, addr, x->pools.n);
        p = &x->pools.v[x->pools.n - 1];
    }
    struct waiter *last = p->waiters.n ? &p->waiters.v[p->waiters.n - 1] : NULL;
    if (!last || last->party != w.party)
        lk_vec_add(&p->waiters, w);
    else if (last->outermost + 1 == w.outermost)
        *last = w;
}

/* What stands in its way: the future, event, condition or queue itself. */
static lk_addr bare_object(struct lk_py *py, struct lk_ref who)
{
    const struct lk_wait *w = bare_wait(py, who);
    const struct lk_future *f = lk_future_at(py->s, w->on.v[0]);
    const struct lk_lock *l = lk_lock_at(py->s, w->on.v[0]);
    return f ? f->addr : l ? l->addr : 0;
}

struct has_local {
    lk_addr wanted;
    bool found;
};

static bool is_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct has_local *h = arg;
    (void)py;
    (void)name;
    return !(h->found |= value == h->wanted);
}

/* The waiter waits for it on the object's behalf: the object has it, or its method made it. */
static bool owns(struct search *x, const struct lk_pyf *f, lk_addr self, lk_addr bare)
{
    struct has_local h = { .wanted = bare };
    struct lk_leads_to l = { .wanted = bare,
                             .steps = STEPS,
                             .budget = LK_MIN(x->budget, (unsigned)SEARCH) };
    unsigned before = l.budget;
    if (self == bare)
        return true;
    lk_py_local_each(x->py, f, is_local, &h);
    bool leads = !h.found && lk_py_leads_to(x->py, self, &l) && l.budget;
    x->budget -= before - l.budget;
    return h.found || leads;
}

static bool is_of_program(struct lk_py *py, const struct lk_pycode *c)
{
    return !lk_py_of_stdlib(py, c->code) && !strstr(c->code->file, "-packages/");
}

/* From the innermost frame outwards, as long as methods of what is waited for call each other. */
static void add_pools_of(struct search *x, uint32_t party)
{
    const struct lk_pyframes *f = &x->parties.v[party].frames;
    lk_addr bare = bare_object(x->py, x->parties.v[party].ref);
    for (uint32_t i = 0; i < f->n && i < MAX_FRAMES && x->budget; i++) {
        lk_addr self = lk_py_local(x->py, &f->v[i], "self");
        const struct lk_pycode *c = lk_py_code(x->py, f->v[i].code);
        if (!c || (self ? !lk_py_of_stdlib(x->py, c->code) && !owns(x, &f->v[i], self, bare)
                        : is_of_program(x->py, c)))
            return;
        if (may_lend(x->py, self))
            add_waiter(x, self, (struct waiter){ party, i, c->code->function });
    }
}

/* What somebody asks through, a client or a session, is nothing that is lent to him. */
static void add_facades_of(struct search *x, uint32_t party)
{
    const struct lk_pyframes *f = &x->parties.v[party].frames;
    for (uint32_t i = 0; i < f->n && i < MAX_FACADES; i++) {
        lk_addr self = lk_py_local(x->py, &f->v[i], "self");
        if (self)
            lk_map_add(&x->by_addr, self, 0);
    }
}

static bool add_pools(struct search *x)
{
    for (uint32_t i = 0; i < x->parties.n; i++)
        if (may_wait_for_pool(x->py, x->parties.v[i].ref))
            add_pools_of(x, i);
    for (uint32_t i = 0; x->pools.n && i < x->parties.n; i++)
        if (may_wait_for_pool(x->py, x->parties.v[i].ref))
            add_facades_of(x, i);
    for (size_t i = 0; i < x->pools.n; i++)
        find_methods(x, &x->pools.v[i], i ? &x->pools.v[i - 1] : NULL);
    return x->pools.n > 0;
}

static const struct waiter *waiter_in(const struct pool *p, uint32_t party)
{
    for (size_t i = 0; i < p->waiters.n; i++)
        if (p->waiters.v[i].party == party)
            return &p->waiters.v[i];
    return NULL;
}

/* ---- who has something of it ------------------------------------------------------------------
 */

static void note_hit(struct lk_py *py, lk_addr obj, void *arg)
{
    (void)py;
    struct search *x = arg;
    if (x->n_hit < MAX_HITS && pool_at(x, obj))
        x->hit[x->n_hit++] = obj;
}

/* The pools that an object leads to, without leading through another one. */
static void look(struct search *x, lk_addr from, unsigned steps)
{
    struct lk_leads_to l = { .each = &x->by_addr,
                             .met = note_hit,
                             .not_behind = true,
                             .data_only = true,
                             .arg = x,
                             .steps = steps,
                             .budget = LK_MIN(x->budget, (unsigned)SEARCH) };
    unsigned before = l.budget;
    x->n_hit = 0;
    lk_py_leads_to(x->py, from, &l);
    x->budget -= before - l.budget;
}

static void add_holder(struct search *x, struct pool *p, struct lk_ref who, bool sure)
{
    lk_refs_add(x->py->s, sure ? &p->sure : &p->maybe, who);
    p->units += sure;
}

/* A waiter of the pool stands in the `__enter__` of such a manager. */
static bool is_entered(struct search *x, const struct pool *p, lk_addr manager)
{
    const struct lk_pytype *ty = lk_py_type(x->py, manager);
    for (size_t i = 0; ty && i < p->waiters.n && i < MAX_ASKED; i++) {
        const struct lk_pyframes *f = &x->parties.v[p->waiters.v[i].party].frames;
        for (size_t k = 0; k < f->n && k < MAX_FRAMES; k++) {
            const struct lk_pycode *c = lk_py_code(x->py, f->v[k].code);
            if (c &&
                (strcmp(c->code->function, "__aenter__") == 0 ||
                 strcmp(c->code->function, "__enter__") == 0) &&
                lk_py_type(x->py, lk_py_local(x->py, &f->v[k], "self")) == ty)
                return true;
        }
    }
    return false;
}

static void ask_blocks(struct search *x)
{
    const struct lk_reader *a = lk_reader(x->py);
    for (size_t i = 0; i < a->with_others.n && x->budget; i++) {
        lk_addr manager = a->with_others.v[i].manager;
        if (lk_map_get(&x->by_addr, manager, NULL))
            continue;
        look(x, manager, STEPS);
        for (size_t k = 0; k < x->n_hit; k++) {
            struct pool *p = pool_at(x, x->hit[k]);
            if (is_entered(x, p, manager) || exit_gives_back(x->py, p, manager))
                add_holder(x, p, a->with_others.v[i].holder, true);
        }
    }
}

/* A waiter of the pool is about to enter what this generator is of. */
static bool is_begun(struct search *x, const struct pool *p, lk_addr code)
{
    for (size_t i = 0; i < p->waiters.n && i < MAX_ASKED; i++) {
        const struct lk_pyframes *f = &x->parties.v[p->waiters.v[i].party].frames;
        for (size_t k = 0; k < f->n && k < MAX_FRAMES; k++)
            if (f->v[k].code == code && f->v[k].generator)
                return true;
    }
    return false;
}

/* It waits in what a `with` enters. */
static bool is_entering(struct search *x, const struct waiter *w)
{
    const struct lk_pyframes *f = &x->parties.v[w->party].frames;
    for (uint32_t i = w->outermost; i < f->n && i <= w->outermost + 1; i++) {
        const struct lk_pycode *c = lk_py_code(x->py, f->v[i].code);
        if (c && (strcmp(c->code->function, "__enter__") == 0 ||
                  strcmp(c->code->function, "__aenter__") == 0))
            return true;
    }
    return false;
}

/* It will let those go on who are about to enter another `with` of the same object: readers, and
 * who would write. Who waits in a `with` for news is told them by others. */
static bool lets_waiters_go(struct search *x, const struct pool *p, const struct lk_pyf *f)
{
    const struct waiter *w = &p->waiters.v[0];
    const lk_addr bare = bare_object(x->py, x->parties.v[w->party].ref);
    for (const char *const *m = lets_go; bare && is_entering(x, w) && *m; m++)
        if (lk_py_will_call_method_on(x->py, f, *m, bare) == LK_YES)
            return true;
    return false;
}

struct in_generator {
    struct search *x;
    const struct lk_with_generator *g;
    bool found;
};

static bool ask_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct in_generator *in = arg;
    struct search *x = in->x;
    struct pool *p = pool_at(x, value);
    (void)name;
    (void)py;
    if (p && !in->found &&
        (is_begun(x, p, in->g->frame.code) || lets_waiters_go(x, p, &in->g->frame))) {
        in->found = true;
        add_holder(x, p, in->g->holder, true);
    }
    if (in->found || lk_map_get(&x->by_addr, value, NULL))
        return true;
    look(x, value, STEPS);
    in->found |= x->n_hit > 0;
    for (size_t i = 0; i < x->n_hit; i++)
        add_holder(x, pool_at(x, x->hit[i]), in->g->holder, true);
    return x->budget > 0;
}

static void ask_generators(struct search *x)
{
    const struct lk_reader *a = lk_reader(x->py);
    for (size_t i = 0; i < a->with_generators.n && x->budget; i++) {
        struct in_generator in = { x, &a->with_generators.v[i], false };
        lk_py_local_each(x->py, &in.g->frame, ask_local, &in);
    }
}

/* How many units of it the frame has by its own calls: taken and not given back so far. */
static int64_t balance(struct search *x, const struct pool *p, const struct lk_pyf *f, bool taking)
{
    int64_t n = -(int64_t)taking;
    const char *method = p->waiters.v[0].method;
    for (const char *const *m = takes; *m; m++)
        n += lk_py_calls_before(x->py, f, *m, p->addr);
    if (!is_word(takes, method))
        n += lk_py_calls_before(x->py, f, method, p->addr);
    for (const char *const *m = gives_back; *m; m++)
        n -= lk_py_calls_before(x->py, f, *m, p->addr);
    for (size_t i = 0; i < p->n_back; i++)
        n -= lk_py_calls_before(x->py, f, p->back[i], p->addr);
    return n;
}

/* One place where the frame will give something back: to a pool, or it is something of one. */
static void ask_receiver(struct search *x, const struct lk_pyf *f, struct lk_ref who,
                         uint32_t party, uint32_t frame, lk_addr receiver)
{
    struct pool *p = pool_at(x, receiver);
    if (p) {
        const struct waiter *w = waiter_in(p, party);
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
    look(x, receiver, STEPS - 2);
    for (size_t i = 0; i < x->n_hit; i++)
        add_holder(x, pool_at(x, x->hit[i]), who, true);
}

static void ask_method(struct search *x, const struct lk_pyf *f, struct lk_ref who, uint32_t party,
                       uint32_t frame, const char *method)
{
    lk_addr v[MAX_RECEIVERS];
    size_t n = lk_py_receivers_ahead(x->py, f, method, v, LK_ARRAY_LEN(v));
    for (size_t i = 0; i < n; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= v[k] == v[i];
        const struct pool *p = pool_at(x, v[i]);
        if (!again && (is_word(gives_back, method) || (p && has_back(p->back, p->n_back, method))))
            ask_receiver(x, f, who, party, frame, v[i]);
    }
}

static void ask_frame(struct search *x, const struct lk_pyf *f, struct lk_ref who, uint32_t party,
                      uint32_t frame)
{
    const struct lk_pycode *c = lk_py_code(x->py, f->code);
    if (!c || lk_py_of_stdlib(x->py, c->code))
        return;
    for (const char *const *m = gives_back; *m; m++)
        ask_method(x, f, who, party, frame, *m);
    for (size_t i = 0; i < x->n_back; i++)
        ask_method(x, f, who, party, frame, x->back[i]);
}

static void ask_frames(struct search *x)
{
    const struct lk_reader *a = lk_reader(x->py);
    for (uint32_t i = 0; i < x->parties.n; i++) {
        const struct party *p = &x->parties.v[i];
        for (uint32_t k = 0; k < p->frames.n && x->budget; k++)
            ask_frame(x, &p->frames.v[k], p->ref, i, k);
    }
    for (size_t i = 0; i < a->with_generators.n && x->budget; i++)
        ask_frame(x, &a->with_generators.v[i].frame, a->with_generators.v[i].holder, UINT32_MAX, 0);
}

/* Whoever is at work in a method of it, and does not wait for it, may have something of it. */
static void ask_methods(struct search *x)
{
    for (uint32_t i = 0; i < x->parties.n; i++) {
        const struct lk_pyframes *f = &x->parties.v[i].frames;
        for (size_t k = 0; k < f->n; k++) {
            lk_addr self = lk_py_local(x->py, &f->v[k], "self");
            struct pool *p = self ? pool_at(x, self) : NULL;
            if (p && !waiter_in(p, i))
                add_holder(x, p, x->parties.v[i].ref, false);
        }
    }
}

/* ---- what is waited for -----------------------------------------------------------------------
 */

/* How many there are at most, where the pool or its queue says so; LK_UNKNOWN. */
static int64_t units_of(struct lk_py *py, const struct pool *p, const struct lk_wait *w)
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

static bool timer_gives_back(struct search *x, const struct pool *p)
{
    for (size_t i = 0; i < x->py->timers.n; i++) {
        lk_addr func, self = 0, callback = x->py->timers.v[i].callback, args;
        lk_py_partial(x->py, callback, &callback, &args);
        if (!lk_py_method(x->py, callback, &func, &self) || self != p->addr)
            continue;
        const char *name = lk_py_callable_name(x->py, callback);
        if (is_word(gives_back, name) || has_back(p->back, p->n_back, name))
            return true;
    }
    return false;
}

/* The innermost of what it stands in a method of that somebody was found to have something of. */
static struct pool *pool_of(struct search *x, uint32_t party)
{
    const struct lk_wait *w = bare_wait(x->py, x->parties.v[party].ref);
    const struct lk_pyframes *f = &x->parties.v[party].frames;
    for (size_t i = 0; i < f->n && i < MAX_FRAMES; i++) {
        lk_addr self = lk_py_local(x->py, &f->v[i], "self");
        struct pool *p = self ? pool_at(x, self) : NULL;
        if (!p || !p->sure.n)
            continue;
        int64_t all = units_of(x->py, p, w);
        return all != LK_UNKNOWN && p->units < all ? NULL : p;
    }
    return NULL;
}

static void wait_for_unit(struct search *x, struct pool *p, struct lk_ref who)
{
    struct lk_snapshot *s = x->py->s;
    struct lk_wait *w = wait_of(x->py, who);
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

static void name_holders(struct search *x, struct pool *p)
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
    struct search x = { .py = py, .budget = MAX_LOOKS };
    if (add_parties(&x) && add_pools(&x)) {
        ask_blocks(&x);
        ask_generators(&x);
        ask_frames(&x);
        ask_methods(&x);
        for (uint32_t i = 0; i < x.parties.n && x.budget; i++) {
            struct lk_ref who = x.parties.v[i].ref;
            struct pool *p = may_wait_for_pool(py, who) ? pool_of(&x, i) : NULL;
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

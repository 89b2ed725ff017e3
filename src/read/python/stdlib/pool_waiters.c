/*
 * Who may wait for a unit of a pool, and of which: a thread or task in a wait that any code may end
 * (a bare future, an event, a condition, a queue's get), whose innermost frames are methods of an
 * object that owns what is waited on. Up to 3.11 asyncio.wait_for() makes a task of what it is
 * given (Lib/asyncio/tasks.py): that task is the one in the wait.
 */
#include "read/python/stdlib/lent_pools.h"

#include "read/python/interpreter/code.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/leads_to.h"
#include "read/python/reader/method_calls.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"
#include "util/memory.h"

enum {
    MAX_TASKS = 5000, /* more are not asked each: it would take longer than the sample */
    MAX_FACADES = 64,
    MAX_ASKED = 8, /* objects of which one frame has asked something */
};

static void add_party(struct lk_lent_search *x, struct lk_ref ref, const struct lk_pyframes *frames,
                      bool innermost_first)
{
    struct lk_lent_party p = { .ref = ref };
    for (size_t i = 0; i < frames->n; i++)
        lk_vec_add(&p.frames, frames->v[innermost_first ? i : frames->n - 1 - i]);
    lk_vec_add(&x->parties, p);
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
    const struct lk_wait *w = lk_wait_of(py->s, who);
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

bool lk_lent_add_parties(struct lk_lent_search *x)
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

const struct lk_wait *lk_lent_wait(struct lk_py *py, struct lk_ref who)
{
    struct lk_ref by = waits_by(py, who);
    return lk_wait_of(py->s, by.kind == LK_KIND_NONE ? who : by);
}

bool lk_lent_may_wait(struct lk_py *py, struct lk_ref who)
{
    const struct lk_wait *w = lk_lent_wait(py, who);
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

static void add_waiter(struct lk_lent_search *x, lk_addr addr, struct lk_lent_waiter w)
{
    struct lk_lent_pool *p = lk_lent_pool_at(x, addr);
    if (!p) {
        lk_vec_add(&x->pools, ((struct lk_lent_pool){ .addr = addr }));
        lk_map_put(&x->by_addr, addr, x->pools.n);
        p = &x->pools.v[x->pools.n - 1];
    }
    struct lk_lent_waiter *last = p->waiters.n ? &p->waiters.v[p->waiters.n - 1] : NULL;
    if (!last || last->party != w.party)
        lk_vec_add(&p->waiters, w);
    else if (last->outermost + 1 == w.outermost)
        *last = w;
}

lk_addr lk_lent_object(struct lk_py *py, struct lk_ref who)
{
    const struct lk_wait *w = lk_lent_wait(py, who);
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
static bool owns(struct lk_lent_search *x, const struct lk_pyf *f, lk_addr self, lk_addr bare)
{
    struct has_local h = { .wanted = bare };
    struct lk_leads_to l = { .wanted = bare,
                             .steps = LK_LENT_STEPS,
                             .budget = LK_MIN(x->budget, (unsigned)LK_LENT_SEARCH) };
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
    return !lk_py_is_library(py, c->code->file);
}

/* It awaits what a method has returned (tornado/locks.py Semaphore.acquire): a future that the
 * method's object has. */
static void add_pools_asked(struct lk_lent_search *x, uint32_t party, lk_addr bare)
{
    const struct lk_pyf *f = &x->parties.v[party].frames.v[0];
    lk_addr v[MAX_ASKED];
    for (const char *const *m = lk_lent_takes; *m; m++) {
        size_t n = lk_py_receivers_behind(x->py, f, *m, v, MAX_ASKED);
        for (size_t i = 0; i < n && x->budget; i++)
            if (v[i] != bare && may_lend(x->py, v[i]) && owns(x, f, v[i], bare))
                add_waiter(x, v[i], (struct lk_lent_waiter){ party, -1, *m });
    }
}

/* From the innermost frame outwards, as long as methods of what is waited for call each other. */
static void add_pools_of(struct lk_lent_search *x, uint32_t party)
{
    const struct lk_pyframes *f = &x->parties.v[party].frames;
    lk_addr bare = lk_lent_object(x->py, x->parties.v[party].ref);
    if (f->n && lk_lent_wait(x->py, x->parties.v[party].ref)->kind == LK_WAIT_FUTURE)
        add_pools_asked(x, party, bare);
    for (uint32_t i = 0; i < f->n && i < LK_LENT_MAX_FRAMES && x->budget; i++) {
        lk_addr self = lk_py_local(x->py, &f->v[i], "self");
        const struct lk_pycode *c = lk_py_code(x->py, f->v[i].code);
        if (!c || (self ? !lk_py_of_stdlib(x->py, c->code) && !owns(x, &f->v[i], self, bare)
                        : is_of_program(x->py, c)))
            return;
        if (may_lend(x->py, self))
            add_waiter(x, self, (struct lk_lent_waiter){ party, i, c->code->function });
    }
}

/* What somebody asks through, a client or a session, is nothing that is lent to him. */
static void add_facades_of(struct lk_lent_search *x, uint32_t party)
{
    const struct lk_pyframes *f = &x->parties.v[party].frames;
    for (uint32_t i = 0; i < f->n && i < MAX_FACADES; i++) {
        lk_addr self = lk_py_local(x->py, &f->v[i], "self");
        if (self)
            lk_map_add(&x->by_addr, self, 0);
    }
}

bool lk_lent_add_pools(struct lk_lent_search *x)
{
    for (uint32_t i = 0; i < x->parties.n; i++)
        if (lk_lent_may_wait(x->py, x->parties.v[i].ref))
            add_pools_of(x, i);
    for (uint32_t i = 0; x->pools.n && i < x->parties.n; i++)
        if (lk_lent_may_wait(x->py, x->parties.v[i].ref))
            add_facades_of(x, i);
    for (size_t i = 0; i < x->pools.n; i++)
        lk_lent_find_methods(x, &x->pools.v[i], i ? &x->pools.v[i - 1] : NULL);
    return x->pools.n > 0;
}

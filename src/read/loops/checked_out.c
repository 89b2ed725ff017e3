/*
 * QueuePool and AsyncAdaptedQueuePool (sqlalchemy/pool/impl.py, 1.4 - 2.1): who waits stands in
 * get() of sqlalchemy/util/queue.py called by _do_get, a task in the greenlet below it; how many
 * connections are checked out is maxsize - qsize + _overflow; each is a _ConnectionFairy
 * (pool/base.py), which whoever has the connection or session reaches, and which names its pool.
 * Only where every one that is checked out was found anything is said: a connection that nobody is
 * known to have may come back from anywhere.
 */
#include "read/loops/checked_out.h"

#include "read/loops/parties.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/stdlib/future_object.h"
#include "util/memory.h"

enum {
    MAX_LOOKS = 400000, /* objects looked at in one sample, ... */
    SEARCH = 5000,      /* ... and from the frames of one thread or task */
    STEPS =
        7, /* AsyncSession, Session, SessionTransaction, a dict, a tuple, Connection, the fairy */
};

struct pool {
    lk_addr addr;
    int64_t out; /* checked out; LK_UNKNOWN */
    struct lk_map found;
    struct lk_refs holders;
};

struct search {
    struct lk_py *py;
    struct lk_parties parties;
    LK_VEC(struct pool) pools;
    struct lk_ref by; /* whose frames are being looked at */
    unsigned budget;
};

/* ---- who waits ------------------------------------------------------------------------------- */

static lk_addr pool_waited_for(struct lk_py *py, const struct lk_pyframes *f)
{
    for (size_t i = 0; i + 1 < f->n; i++)
        if (lk_py_frame_is(py, &f->v[i], "get", "sqlalchemy/util/queue.py") &&
            lk_py_frame_is(py, &f->v[i + 1], "_do_get", "sqlalchemy/pool/impl.py"))
            return lk_py_local(py, &f->v[i + 1], "self");
    return 0;
}

/* ---- how many are out ------------------------------------------------------------------------ */

static struct pool *pool_at(struct search *x, lk_addr addr)
{
    for (size_t i = 0; addr && i < x->pools.n; i++)
        if (x->pools.v[i].addr == addr)
            return &x->pools.v[i];
    return NULL;
}

static int64_t number(struct lk_py *py, lk_addr obj, const char *name)
{
    int64_t n;
    lk_addr v = obj ? lk_py_attr(py, obj, name) : 0;
    return v && lk_py_int(py, v, &n) ? n : LK_UNKNOWN;
}

static int64_t checked_out(struct lk_py *py, lk_addr pool)
{
    lk_addr queue = lk_py_attr(py, pool, "_pool");
    lk_addr items = queue ? lk_py_attr(py, queue, "queue") : 0;
    lk_addr inner = queue && !items ? lk_py_attr(py, queue, "_queue") : 0; /* an asyncio.Queue */
    if (inner)
        items = lk_py_attr(py, inner, "_queue");
    int64_t most = number(py, queue, "maxsize"), more = number(py, pool, "_overflow"),
            in = items ? lk_py_len(py, items) : -1;
    return most == LK_UNKNOWN || more == LK_UNKNOWN || in < 0 ? LK_UNKNOWN : most - in + more;
}

static bool add_pools(struct search *x)
{
    for (size_t i = 0; i < x->parties.n; i++) {
        lk_addr addr = pool_waited_for(x->py, &x->parties.v[i].frames);
        if (addr && !pool_at(x, addr))
            lk_vec_add(&x->pools, ((struct pool){ .addr = addr, .out = checked_out(x->py, addr) }));
    }
    return x->pools.n > 0;
}

/* ---- who has one ----------------------------------------------------------------------------- */

static bool is_set(struct lk_py *py, lk_addr obj, const char *name)
{
    lk_addr v = lk_py_attr(py, obj, name);
    return v && !lk_py_is_none(py, v);
}

/* False: it is not looked into. What another task does is that one's. */
static bool visit(struct lk_py *py, lk_addr obj, unsigned far, void *arg)
{
    struct search *x = arg;
    (void)far;
    const struct lk_pytype *ty = lk_py_type(py, obj);
    enum lk_pykind kind = lk_py_kind(py, obj);
    if (!ty || kind == LK_PYK_COROUTINE || kind == LK_PYK_ASYNC_GEN || pool_at(x, obj) ||
        lk_py_is_waitable(py, obj))
        return false;
    if (strcmp(ty->name, "_ConnectionFairy") != 0)
        return true;
    struct pool *p = pool_at(x, lk_py_attr(py, obj, "_pool"));
    if (p && is_set(py, obj, "_connection_record") && is_set(py, obj, "dbapi_connection")) {
        lk_map_put(&p->found, obj, 1);
        lk_refs_add(py->s, &p->holders, x->by);
    }
    return false;
}

static void search_party(struct search *x, const struct lk_party *p)
{
    x->by = p->ref;
    (void)lk_party_lead_to(
        x->py, p,
        (struct lk_leads_to){ .visit = visit, .arg = x, .steps = STEPS, .budget = SEARCH },
        &x->budget);
}

/* ---- what they wait for ---------------------------------------------------------------------- */

static void wait_for_connection(struct lk_py *py, struct lk_ref who, struct lk_ref lock)
{
    struct lk_wait *w = lk_wait_of(py->s, who);
    w->kind = LK_WAIT_SEMAPHORE;
    w->on = (struct lk_refs){ 0 };
    lk_refs_add(py->s, &w->on, lock);
    w->gate = lk_ref_make(LK_KIND_NONE, 0);
    w->complete = w->any = false;
}

static void tell(struct search *x, const struct pool *p)
{
    struct lk_snapshot *s = x->py->s;
    bool is_new;
    struct lk_ref ref = lk_snapshot_lock(s, p->addr, &is_new);
    struct lk_lock *l = lk_lock_at(s, ref);
    if (!is_new)
        return;
    l->kind = lk_py_class_label(x->py, p->addr);
    l->likely_enders = p->holders;
    l->likely_for = "a connection of it is checked out by";
    l->units_known = l->units_counted = true;
    l->units_held = p->out;
    for (size_t i = 0; i < x->parties.n; i++)
        if (pool_waited_for(x->py, &x->parties.v[i].frames) == p->addr)
            wait_for_connection(x->py, x->parties.v[i].ref, ref);
}

void lk_py_find_checked_out(struct lk_py *py)
{
    struct search x = { .py = py, .budget = MAX_LOOKS };
    if (!lk_py_module_dict(py, "sqlalchemy.pool.impl"))
        return;
    bool any = lk_parties_read(py, &x.parties) && add_pools(&x);
    for (size_t i = 0; any && i < x.parties.n && x.budget; i++)
        search_party(&x, &x.parties.v[i]);
    for (size_t i = 0; i < x.pools.n; i++) {
        struct pool *p = &x.pools.v[i];
        if (p->out > 0 && p->holders.n && (int64_t)p->found.n >= p->out)
            tell(&x, p);
        lk_map_deinit(&p->found);
    }
    lk_parties_deinit(&x.parties);
    lk_free(x.pools.v);
}

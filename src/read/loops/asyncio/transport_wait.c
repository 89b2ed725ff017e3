/*
 * Clients of asyncio (anyio, httpcore, aiohttp, asyncpg) await a bare future or event of their own,
 * which their protocol completes when data comes (Lib/asyncio/protocols.py data_received). No frame
 * needs to be known for that: the code that awaits has the transport at hand, and the transport's
 * protocol has what is awaited. Objects made in C (Cython) have no attributes to ask for: the words
 * of their body are looked at instead, each of which is an object or none.
 */
#include "read/loops/asyncio/transport_wait.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"
#include "read/python/stdlib/socket.h"

enum {
    MAX_TASKS = 2048,     /* of one sample */
    MAX_OBJECTS = 100000, /* looked at in one sample, ... */
    MAX_OF_TASK = 4000,   /* ... and for one task */
    MAX_FRAMES = 32,      /* the innermost ones: the client library's, and its caller's */
    NEAR_FRAMES = 6,      /* those whose objects are followed one attribute further */
    MAX_DEPTH = 5,        /* transport, TLS, protocol, stream, future */
    MAX_AWAITED = 4,      /* futures of which a task awaits any or all */
    MAX_ITEMS = 64,       /* of one container */
    MAX_NESTED = 2,       /* containers within containers */
    MAX_WORDS = 128,      /* of one object's body */
    OBJ_FIRST = 16,       /* first field after PyObject_HEAD */
};

/* One task's search. */
struct search {
    struct lk_map near, seen; /* objects looked at for a transport; below the present one */
    /* the futures that are awaited, all of which one transport must have; of a primitive, which
     * made the future, either will do */
    lk_addr wanted[MAX_AWAITED], primitive;
    size_t n_wanted;
    unsigned found;              /* bits: of these, so far */
    lk_addr path[MAX_DEPTH + 1]; /* from the transport to the one found first, ... */
    size_t n;                    /* ... once there is one */
    unsigned left;
    lk_addr transport; /* found; 0 */
    lk_addr socket;    /* the future is for this one (uvloop's sock_recv); 0 */
};

/* Calls fn for what an object refers to, until it returns true. */
struct children {
    struct search *x;
    unsigned depth, nested;
    bool (*fn)(struct lk_py *, struct search *, lk_addr, unsigned depth, unsigned nested);
    bool found;
};

static bool each_attr(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct children *c = arg;
    (void)key;
    c->found = c->fn(py, c->x, value, c->depth, c->nested);
    return !c->found && c->x->left > 0;
}

static bool is_instance(struct lk_py *py, lk_addr obj, const struct lk_pytype *ty)
{
    return lk_py_kind(py, obj) == LK_PYK_OTHER && strcmp(ty->name, "Context") != 0 &&
           strcmp(ty->name, "_contextvars.Context") != 0 && strcmp(ty->name, "frame") != 0 &&
           strcmp(ty->name, "mappingproxy") != 0 &&
           lk_py_known_class(py, obj, NULL) != LK_CLASS_LOOP;
}

static bool through_words(struct lk_py *py, lk_addr obj, const struct lk_pytype *ty,
                          struct children *c)
{
    uint64_t w[MAX_WORDS];
    unsigned first = (unsigned)(lk_py_field(py, 0, OBJ_FIRST));
    if (ty->basicsize <= (int64_t)first)
        return false;
    size_t n = LK_MIN((size_t)(ty->basicsize - first) / 8, (size_t)MAX_WORDS);
    if (!n || !lk_read(py->t, obj + first, w, n * 8))
        return false;
    for (size_t i = 0; i < n && c->x->left; i++)
        if (lk_py_plausible(w[i]) && c->fn(py, c->x, w[i], c->depth, c->nested))
            return true;
    return false;
}

static bool through_instance(struct lk_py *py, lk_addr obj, struct children *c)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    if (!ty || !is_instance(py, obj, ty))
        return false;
    lk_py_attr_each(py, obj, each_attr, c);
    return c->found || through_words(py, obj, ty, c);
}

static bool through_container(struct lk_py *py, lk_addr obj, struct children *c)
{
    size_t n = 0;
    if (c->nested > MAX_NESTED || lk_py_len(py, obj) > MAX_ITEMS)
        return false;
    if (lk_py_kind(py, obj) == LK_PYK_DICT) {
        lk_py_dict_each(py, obj, each_attr, c);
        return c->found;
    }
    lk_addr *items = lk_py_items(py, obj, MAX_ITEMS, &n);
    for (size_t i = 0; items && i < n && c->x->left; i++)
        if (c->fn(py, c->x, items[i], c->depth, c->nested))
            return true;
    return false;
}

/* ---- from a transport to what is awaited -------------------------------------------------- */

static bool is_wanted(struct search *x, lk_addr obj, unsigned depth)
{
    unsigned before = x->found;
    if (x->primitive && obj == x->primitive)
        x->found = (1u << x->n_wanted) - 1;
    for (size_t i = 0; i < x->n_wanted; i++)
        if (obj == x->wanted[i])
            x->found |= 1u << i;
    if (!before && x->found)
        x->n = LK_MIN(depth, (unsigned)MAX_DEPTH);
    return x->found != before;
}

static bool all_found(const struct search *x)
{
    return x->found == (1u << x->n_wanted) - 1;
}

static bool reaches(struct lk_py *py, struct search *x, lk_addr obj, unsigned depth,
                    unsigned nested)
{
    if (is_wanted(x, obj, depth))
        return all_found(x);
    if (depth >= MAX_DEPTH || !x->left || !lk_py_type(py, obj) || !lk_map_add(&x->seen, obj, 1))
        return false;
    x->left--;
    struct children c = { x, depth + 1, 0, reaches, false };
    struct children same = { x, depth, nested + 1, reaches, false };
    switch (lk_py_kind(py, obj)) {
    case LK_PYK_TUPLE:
    case LK_PYK_LIST:
    case LK_PYK_DICT:
    case LK_PYK_SET:
    case LK_PYK_DEQUE: return through_container(py, obj, &same);
    case LK_PYK_WEAKREF: {
        lk_addr to = lk_py_weakref(py, obj);
        return to && reaches(py, x, to, depth, nested);
    }
    case LK_PYK_OTHER: break;
    default: return false;
    }
    if (lk_py_is_waitable(py, obj))
        return false;
    if (!x->found)
        x->path[depth] = obj;
    return through_instance(py, obj, &c);
}

/* ---- from a frame to a transport ---------------------------------------------------------- */

static bool is_transport(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    return ty && lk_ends_with(ty->name, "Transport") && lk_py_transport_fd(py, obj) != LK_UNKNOWN;
}

/* depth: how many attributes further may be gone. */
static bool leads_to_transport(struct lk_py *py, struct search *x, lk_addr obj, unsigned depth,
                               unsigned nested)
{
    (void)nested;
    uint64_t before;
    const struct lk_pytype *ty = lk_py_type(py, obj);
    if (!ty || lk_py_kind(py, obj) != LK_PYK_OTHER || !x->left ||
        (lk_map_get(&x->near, obj, &before) && before > depth))
        return false;
    lk_map_put(&x->near, obj, depth + 1);
    x->left--;
    if (is_transport(py, obj)) {
        lk_map_deinit(&x->seen);
        x->seen = (struct lk_map){ 0 };
        x->found = 0;
        x->n = 0;
        x->transport = reaches(py, x, obj, 0, 0) ? obj : 0;
        return x->transport != 0;
    }
    /* a transport that has none of its own stands over another one (TLS) */
    unsigned further = lk_ends_with(ty->name, "Transport") ? LK_MAX(depth, 2u) : depth;
    if (!further || lk_py_is_waitable(py, obj))
        return false;
    struct children c = { x, further - 1, 0, leads_to_transport, false };
    return through_instance(py, obj, &c);
}

struct local {
    struct search *x;
    unsigned depth;
};

static bool try_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    const struct local *l = arg;
    unsigned depth = l->depth > 1 && strcmp(name, "self") != 0 ? 1 : l->depth;
    return !leads_to_transport(py, l->x, value, depth, 0) && l->x->left > 0;
}

/* Innermost first: the nearest transport is the one. */
static void search_frames(struct lk_py *py, const struct lk_pyframes *chain, struct search *x)
{
    for (size_t i = 0; i < chain->n && i < MAX_FRAMES && !x->transport && x->left; i++) {
        struct local l = { x, i < NEAR_FRAMES ? 2 : 1 };
        lk_py_local_each(py, &chain->v[chain->n - 1 - i], try_local, &l);
    }
}

/* ---- tasks --------------------------------------------------------------------------------- */

static bool is_on_path(const struct search *x, lk_addr obj)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->path[i] == obj)
            return true;
    for (size_t i = 0; i < x->n_wanted; i++)
        if (obj == x->wanted[i])
            return true;
    return x->primitive && obj == x->primitive;
}

/* A timer whose callback is a method of one of these objects, or is given one, ends the wait
 * (asyncpg's command_timeout, aiohttp's sock_read). */
static int64_t time_left(struct lk_py *py, const struct search *x, int64_t left)
{
    for (size_t i = 0; i < py->timers.n; i++) {
        const struct lk_py_timer *t = &py->timers.v[i];
        lk_addr func, self = 0;
        size_t n = 0;
        bool ends = lk_py_method(py, t->callback, &func, &self) && is_on_path(x, self);
        lk_addr *args = ends || !t->args ? NULL : lk_py_items(py, t->args, MAX_ITEMS, &n);
        for (size_t k = 0; args && k < n; k++)
            ends |= is_on_path(x, args[k]);
        if (ends)
            left = LK_MIN(left, t->in_ms);
    }
    return left;
}

static bool salt_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    uint64_t *salt = arg;
    (void)py;
    (void)name;
    *salt = lk_hash_u64(*salt, value);
    return true;
}

/* The body of an object without its count of references: a deque's has a count of its changes, a
 * buffer's where its data begin. */
static uint64_t salt_body(struct lk_py *py, lk_addr obj, uint64_t salt)
{
    uint64_t w[MAX_WORDS];
    const struct lk_pytype *ty = lk_py_type(py, obj);
    size_t n = ty && ty->basicsize > 8 ? LK_MIN((size_t)ty->basicsize / 8, (size_t)MAX_WORDS) : 0;
    if (!n || !lk_read(py->t, obj, w, n * 8))
        return salt;
    for (size_t i = lk_py_field(py, 0, 8) / 8; i < n; i++)
        salt = lk_hash_u64(salt, w[i]);
    return salt;
}

static bool salt_attr(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    uint64_t *salt = arg;
    const struct lk_pytype *ty = lk_py_type(py, value);
    (void)key;
    if (ty && (lk_py_kind(py, value) == LK_PYK_DEQUE || strcmp(ty->name, "bytearray") == 0))
        *salt = salt_body(py, value, *salt);
    return true;
}

/* A request that asks again and again stands at one place each time it is looked at: what its
 * frames hold is not the same, nor are the buffers of its connection. */
static uint64_t salt_of(struct lk_py *py, const struct search *x, const struct lk_pyframes *chain,
                        const struct lk_wait *w)
{
    /* What polls has other things in hand each time: they are the caller's that stay. */
    bool polls = (w->traits & LK_WAIT_POLLS) && w->frame >= 0;
    size_t n = polls ? chain->n - LK_MIN(chain->n, (size_t)w->frame) : chain->n;
    uint64_t salt = lk_hash_u64(LK_HASH_INIT, polls ? 0 : x->wanted[0]);
    for (size_t i = 0; x->transport && i < x->n; i++) {
        salt = salt_body(py, x->path[i], salt);
        lk_py_attr_each(py, x->path[i], salt_attr, &salt);
    }
    for (size_t i = 0; i < n; i++)
        lk_py_local_each(py, &chain->v[i], salt_local, &salt);
    return salt ? salt : 1;
}

static bool find_socket(struct lk_py *py, struct search *x, lk_addr obj, unsigned depth,
                        unsigned nested)
{
    (void)depth;
    (void)nested;
    if (lk_py_socket_fd(py, obj) == LK_UNKNOWN)
        return false;
    x->socket = obj;
    return true;
}

/*
 * What the code awaits was made in C, its frames are not read: a future that has its socket
 * (uvloop/loop.pyx _SyncSocketFuture of sock_recv, sock_connect, ...), or a coroutine of Cython
 * whose closure has the transport (create_connection).
 */
static void search_native(struct lk_py *py, lk_addr leaf, struct search *x)
{
    struct children c = { x, 0, 0, find_socket, false };
    if (lk_py_known_class(py, x->wanted[0], NULL) == LK_CLASS_FUTURE)
        lk_py_attr_each(py, x->wanted[0], each_attr, &c);
    if (!x->socket && leaf && leaf != x->wanted[0])
        leads_to_transport(py, x, leaf, 2, 0);
}

static bool are_bare(struct lk_py *py, const struct lk_refs *on, struct search *x)
{
    for (size_t i = 0; i < on->n; i++) {
        const struct lk_future *f = lk_future_at(py->s, on->v[i]);
        if (!f || f->concurrent || f->enders.n || x->n_wanted == MAX_AWAITED)
            return false;
        x->wanted[x->n_wanted++] = f->addr;
    }
    return on->n > 0;
}

/* What the task waits for; false where that has an ender, or is none of these. */
static bool wants_transport(struct lk_py *py, const struct lk_task *k, struct search *x)
{
    const struct lk_wait *w = &k->wait;
    const struct lk_lock *l = w->on.n == 1 ? lk_lock_at(py->s, w->on.v[0]) : NULL;
    x->primitive = l ? l->addr : 0;
    if (k->state != LK_TASK_PENDING || k->ready)
        return false;
    switch (w->kind) {
    case LK_WAIT_FUTURE: return are_bare(py, &w->on, x);
    case LK_WAIT_EVENT:
    case LK_WAIT_CONDITION:
    case LK_WAIT_QUEUE_GET: return l != NULL;
    case LK_WAIT_IO: return true; /* a row knows the peer: only which wait it is */
    default: return false;
    }
}

static void set_peer(struct lk_py *py, struct lk_ref task, const struct search *x)
{
    struct lk_ref peer =
        x->socket ? lk_py_peer_of_socket(py, x->socket) : lk_py_peer_of_transport(py, x->transport);
    struct lk_wait *w = &lk_task_at(py->s, task)->wait;
    w->kind = LK_WAIT_IO;
    w->call = "await";
    w->complete = false;
    w->gate = lk_ref_make(LK_KIND_NONE, 0);
    w->on = (struct lk_refs){ 0 };
    lk_refs_add(py->s, &w->on, peer);
    w->timeout_ms = time_left(py, x, w->timeout_ms);
}

static void look_at_task(struct lk_py *py, struct lk_ref task, struct search x, unsigned *left)
{
    struct lk_reader *a = lk_reader(py);
    struct lk_aio_fut f;
    x.left = LK_MIN(*left, (unsigned)MAX_OF_TASK);
    const char *leaf_type = NULL;
    lk_addr leaf = 0;
    bool truncated = false;
    const unsigned given = x.left;

    if (!lk_aio_read_fut(py, lk_task_at(py->s, task)->addr, &f) || !f.coro || !f.fut_waiter)
        return;
    a->chain.n = 0;
    lk_py_await_chain(py, f.coro, &a->chain, &leaf, &leaf_type, &truncated);
    if (!x.n_wanted)
        x.wanted[x.n_wanted++] = f.fut_waiter;
    search_frames(py, &a->chain, &x);
    if (!x.transport && x.n_wanted == 1)
        search_native(py, leaf, &x);
    if ((x.transport || x.socket) && lk_task_at(py->s, task)->wait.kind != LK_WAIT_IO)
        set_peer(py, task, &x);
    if (lk_task_at(py->s, task)->wait.kind == LK_WAIT_IO)
        lk_task_at(py->s, task)->salt = salt_of(py, &x, &a->chain, &lk_task_at(py->s, task)->wait);
    *left -= given - x.left;
    lk_map_deinit(&x.near);
    lk_map_deinit(&x.seen);
}

void lk_aio_find_transports(struct lk_py *py)
{
    unsigned left = MAX_OBJECTS, tasks = MAX_TASKS;
    for (size_t i = 0; i < py->s->tasks.n && left && tasks; i++) {
        struct search x = { 0 };
        if (!wants_transport(py, &py->s->tasks.v[i], &x))
            continue;
        tasks--;
        look_at_task(py, lk_ref_make(LK_KIND_TASK, i), x, &left);
    }
}

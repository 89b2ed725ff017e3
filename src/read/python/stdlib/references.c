/*
 * Counts the references to an object that can be found from given frames, and compares with what it
 * counts itself (Include/object.h ob_refcnt; since 3.12 its lower half). One that is missing is
 * somebody else's. What is not looked into (C structures, classes, modules, defaults of functions)
 * makes references missing, never too many; slots that borrow do not count (3.14
 * pycore_stackref.h).
 */
#include "read/python/stdlib/references.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/stdlib/future_object.h"
#include "util/memory.h"

enum {
    MAX_ITEMS = 1024, /* of one container */
    MAX_BASES = 8,
    INNER = 16, /* FutureIter, asend(), coroutine_wrapper: the object within */
    MOST = 64,  /* objects that only these frames are shown to keep */
    FRAMES = 0, /* the referrer that the frames are, all together */
};

struct edge {
    lk_addr from, to;
};

struct step {
    lk_addr obj;
    unsigned far;
};

struct walk {
    const struct lk_referrers *by;
    struct lk_map seen, frames; /* objects; frames, each of which is looked at once */
    LK_VEC(struct step) todo;
    LK_VEC(struct edge) edges;
    lk_addr at; /* what is being looked into */
    unsigned far;
};

/* ---- references that can be found ------------------------------------------------------------ */

static void refer(struct walk *w, lk_addr to)
{
    if (!to || !lk_py_plausible(to))
        return;
    lk_vec_add(&w->edges, ((struct edge){ w->at, to }));
    if (lk_map_add(&w->seen, to, 1))
        lk_vec_add(&w->todo, ((struct step){ to, w->far + 1 }));
}

static bool refer_entry(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    (void)py;
    refer(arg, key);
    refer(arg, value);
    return true;
}

static bool refer_value(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    (void)py;
    (void)key;
    refer(arg, value);
    return true;
}

static void refer_frame(struct lk_py *py, struct walk *w, const struct lk_pyf *f)
{
    if (!lk_map_add(&w->frames, f->addr, 1))
        return;
    for (int i = 0, n = lk_py_slots(py, f); i < n; i++)
        refer(w, lk_py_slot_owns(py, f, i));
}

struct slots {
    struct walk *w;
    lk_addr obj;
};

static bool refer_slot(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    const struct slots *s = arg;
    if (lk_py_is_slot(py, value))
        refer(s->w, lk_py_slot_value(py, s->obj, key, value));
    return true;
}

static void refer_instance(struct lk_py *py, struct walk *w, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    struct slots s = { w, obj };
    if (!ty || lk_py_known_class(py, obj, NULL) == LK_CLASS_LOOP)
        return;
    lk_py_attr_each(py, obj, refer_value, w);
    for (unsigned i = 0; ty && (ty->flags & LK_TPFLAG_HEAPTYPE) && i < MAX_BASES; i++) {
        if (ty->dict)
            lk_py_dict_each(py, ty->dict, refer_slot, &s);
        ty = ty->base ? lk_py_type_at(py, ty->base) : NULL;
    }
}

static void refer_items(struct lk_py *py, struct walk *w, lk_addr obj)
{
    size_t n = 0;
    lk_addr *items = lk_py_items(py, obj, MAX_ITEMS, &n);
    for (size_t i = 0; items && i < n; i++)
        refer(w, items[i]);
}

static void refer_callable(struct lk_py *py, struct walk *w, lk_addr obj)
{
    lk_addr func = 0, self = 0;
    if (lk_py_partial(py, obj, &func, &self) || lk_py_method(py, obj, &func, &self)) {
        refer(w, func);
        refer(w, self);
    }
}

static void refer_callbacks(struct lk_py *py, struct walk *w, lk_addr obj)
{
    struct lk_aio_fut f;
    if (!lk_aio_read_fut(py, obj, &f))
        return;
    refer(w, f.callback0);
    refer(w, f.callbacks);
    refer_instance(py, w, obj);
}

static void look_into(struct lk_py *py, struct walk *w, lk_addr obj)
{
    struct lk_pyf f;
    w->at = obj;
    switch (lk_py_kind(py, obj)) {
    case LK_PYK_DICT: lk_py_dict_each(py, obj, refer_entry, w); break;
    case LK_PYK_TUPLE:
    case LK_PYK_LIST:
    case LK_PYK_SET:
    case LK_PYK_DEQUE: refer_items(py, w, obj); break;
    case LK_PYK_CELL: refer(w, lk_py_cell(py, obj)); break;
    case LK_PYK_FUNCTION: refer(w, lk_py_ptr(py, obj + py->layout.func_closure)); break;
    case LK_PYK_METHOD:
    case LK_PYK_BUILTIN_METHOD:
    case LK_PYK_PARTIAL: refer_callable(py, w, obj); break;
    case LK_PYK_FUTUREITER:
    case LK_PYK_ASYNC_GEN_ASEND:
    case LK_PYK_ASYNC_GEN_ATHROW:
    case LK_PYK_CORO_WRAPPER:
    case LK_PYK_ANEXT: refer(w, lk_py_ptr(py, obj + INNER)); break;
    case LK_PYK_COROUTINE:
    case LK_PYK_GENERATOR:
    case LK_PYK_ASYNC_GEN:
        if (lk_py_gen_frame(py, obj, &f))
            refer_frame(py, w, &f);
        break;
    case LK_PYK_FUTURE: refer_callbacks(py, w, obj); break;
    case LK_PYK_OTHER: refer_instance(py, w, obj); break;
    default: break;
    }
}

static void refer_party(struct lk_py *py, struct walk *w, lk_addr party)
{
    struct lk_aio_fut f;
    if (lk_aio_read_fut(py, party, &f))
        refer(w, f.fut_waiter);
}

static void find_references(struct lk_py *py, struct walk *w)
{
    const struct lk_referrers *by = w->by;
    w->at = FRAMES;
    for (size_t i = 0; i < by->n_frames; i++)
        for (size_t k = 0; k < by->frames[i]->n; k++)
            refer_frame(py, w, &by->frames[i]->v[k]);
    for (size_t i = 0; i < by->n_parties; i++)
        refer_party(py, w, by->parties[i]);
    for (size_t i = 0; i < w->todo.n && *by->budget; i++) {
        const struct step at = w->todo.v[i];
        --*by->budget;
        w->far = at.far;
        if (at.far < by->steps)
            look_into(py, w, at.obj);
    }
}

/* ---- from the object back to the frames ------------------------------------------------------ */

struct back {
    lk_addr v[MOST];
    size_t n;
};

static bool is_party(const struct walk *w, lk_addr obj)
{
    for (size_t i = 0; i < w->by->n_parties; i++)
        if (w->by->parties[i] == obj)
            return true;
    return obj == FRAMES;
}

static bool add_referrer(const struct walk *w, struct back *b, lk_addr from)
{
    if (is_party(w, from))
        return true;
    for (size_t i = 0; i < b->n; i++)
        if (b->v[i] == from)
            return true;
    if (b->n == MOST)
        return false;
    b->v[b->n++] = from;
    return true;
}

/* Who has a weak reference can get at it, too. Of generators a loop has them only to close them. */
static bool is_referred_weakly(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    uint64_t offset;
    if (!ty || lk_py_kind(py, obj) == LK_PYK_ASYNC_GEN ||
        !lk_read_u64(py->t, ty->addr + py->layout.tp_weaklistoffset, &offset))
        return !ty;
    return offset && lk_py_ptr(py, obj + offset) != 0;
}

static bool all_found(struct lk_py *py, const struct walk *w, struct back *b, lk_addr obj)
{
    uint32_t counted, found = 0;
    if (!lk_read_u32(py->t, obj, &counted) || is_referred_weakly(py, obj))
        return false;
    for (size_t i = 0; i < w->edges.n; i++) {
        if (w->edges.v[i].to != obj)
            continue;
        found++;
        if (!add_referrer(w, b, w->edges.v[i].from))
            return false;
    }
    return found >= counted;
}

enum lk_tri lk_py_is_kept_by(struct lk_py *py, lk_addr obj, const struct lk_referrers *by)
{
    struct walk w = { .by = by };
    struct back b = { .v = { obj }, .n = 1 };
    bool all = true;
    if (py->free_threaded || py->debug_build)
        return LK_TRI_UNKNOWN;
    find_references(py, &w);
    for (size_t i = 0; i < b.n && all; i++)
        all = all_found(py, &w, &b, b.v[i]);
    lk_map_deinit(&w.seen);
    lk_map_deinit(&w.frames);
    lk_free(w.todo.v);
    lk_free(w.edges.v);
    return all ? LK_YES : *by->budget ? LK_NO : LK_TRI_UNKNOWN;
}

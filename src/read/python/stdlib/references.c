/*
 * Counts the references to an object that can be found from given frames, and compares with what it
 * counts itself (Include/object.h ob_refcnt; since 3.12 its lower half; of a free-threaded build a
 * sum). One that is missing is
 * somebody else's. What is not looked into (C structures, classes, modules, defaults of functions)
 * makes references missing, never too many; slots that borrow do not count (3.14
 * pycore_stackref.h).
 */
#include "read/python/stdlib/references.h"

#include <stdlib.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
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
    MAX_REFERRERS = 4095, /* no object is at such an address */
    INNER = 16,           /* FutureIter, asend(), coroutine_wrapper: the object within */
    EXCEPTION_ARGS = 24,
    TB_NEXT = 16,
    TB_FRAME = 24,
    FRAME_DATA = 24, /* PyFrameObject.f_frame */
    REF_LOCAL =
        12, /* Include/object.h, _object.ob_ref_local, ob_ref_shared, _Py_REF_SHARED_SHIFT */
    REF_SHARED = 16,
    REF_FLAGS = 2,
    MOST = 128, /* objects that only these frames are shown to keep */
};

#define TPFLAG_EXCEPTION (UINT64_C(1) << 30)

/* from: an object, or the number of a referrer + 1. */
struct edge {
    lk_addr from, to;
};

struct step {
    lk_addr obj;
    unsigned far;
};

struct lk_references {
    LK_VEC(struct edge) edges; /* by what they lead to */
    struct lk_map objects;     /* that stand for referrers -> number + 1 */
    size_t n;                  /* referrers */
};

struct walk {
    struct lk_references *r;
    /* objects that are known; what was looked into, or read (a frame, a dict, a slot), each once: a
     * reference is one however many ways lead to it */
    struct lk_map seen, read;
    LK_VEC(struct step) todo;
    lk_addr at; /* what is being looked into */
    unsigned far;
};

/* ---- references that can be found ------------------------------------------------------------ */

static void refer(struct walk *w, lk_addr to)
{
    if (!to || !lk_py_plausible(to))
        return;
    lk_vec_add(&w->r->edges, ((struct edge){ w->at, to }));
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

/* An OrderedDict keeps the order in nodes of its own (Objects/odictobject.c _odictnode.key). */
static bool refer_key(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    (void)py;
    (void)value;
    refer(arg, key);
    return true;
}

static bool refer_value(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    (void)py;
    (void)key;
    refer(arg, value);
    return true;
}

/* Several instances may share one, and code may have it besides (vars()). */
static void refer_entries(struct lk_py *py, struct walk *w, lk_addr dict)
{
    w->at = dict;
    if (!lk_map_add(&w->read, dict, 1))
        return;
    lk_py_dict_each(py, dict, refer_entry, w);
    if (lk_py_isinstance(py, dict, "collections", "OrderedDict"))
        lk_py_dict_each(py, dict, refer_key, w);
}

static void refer_attributes(struct lk_py *py, struct walk *w, lk_addr obj)
{
    const lk_addr dict = lk_py_attr_dict(py, obj);
    if (!dict) {
        lk_py_attr_each(py, obj, refer_value, w); /* no dict was made of them yet */
        return;
    }
    refer(w, dict);
    refer_entries(py, w, dict); /* no step of its own */
    w->at = obj;
}

/* The exception that a generator handles stands behind its names (Include/cpython/genobject.h
 * gi_exc_state; up to 3.10 its class, it, and its traceback). */
static void refer_handled(struct lk_py *py, struct walk *w, lk_addr gen)
{
    lk_addr state = gen + py->layout.gi_qualname + 8;
    unsigned words = py->layout.version < LK_PYVER(3, 11) ? 3 : 1;
    for (unsigned i = 0; i < words; i++)
        refer(w, lk_py_ptr(py, state + i * 8));
}

static void refer_frame(struct lk_py *py, struct walk *w, const struct lk_pyf *f)
{
    if (!lk_map_add(&w->read, f->addr, 1))
        return;
    for (int i = 0, n = lk_py_slots(py, f); i < n; i++)
        refer(w, lk_py_slot_owns(py, f, i));
    if (f->generator)
        refer_handled(py, w, f->gen);
}

/* What an exception has been raised in stays alive with it (Objects/exceptions.c, traceback.c;
 * since 3.11 with its notes, and a frame apart from its object). */
static bool refer_raised(struct lk_py *py, struct walk *w, lk_addr obj, const struct lk_pytype *ty)
{
    const bool early = py->layout.version < LK_PYVER(3, 11);
    struct lk_pyf f;
    lk_addr caller;
    bool shim;
    if (strcmp(ty->name, "traceback") == 0) {
        refer(w, lk_py_ptr(py, lk_py_field(py, obj, TB_NEXT)));
        refer(w, lk_py_ptr(py, lk_py_field(py, obj, TB_FRAME)));
    } else if (strcmp(ty->name, "frame") == 0) {
        lk_addr at = early ? obj : lk_py_ptr(py, lk_py_field(py, obj, FRAME_DATA));
        if (at && lk_py_frame(py, at, &f, &caller, &shim))
            refer_frame(py, w, &f);
    } else if (ty->flags & TPFLAG_EXCEPTION) {
        for (unsigned i = 0, n = early ? 4 : 5; i < n;
             i++) /* args, notes, traceback, context, cause */
            refer(w, lk_py_ptr(py, lk_py_field(py, obj, EXCEPTION_ARGS) + i * 8));
        return false;
    } else {
        return false;
    }
    return true;
}

struct slots {
    struct walk *w;
    lk_addr obj;
};

static bool refer_slot(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    const struct slots *s = arg;
    const uint64_t offset = lk_py_slot_offset(py, s->obj, value);
    (void)key;
    if (offset && lk_map_add(&s->w->read, s->obj + offset, 1))
        refer(s->w, lk_py_ptr(py, s->obj + offset));
    return true;
}

static void refer_instance(struct lk_py *py, struct walk *w, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    struct slots s = { w, obj };
    if (!ty || refer_raised(py, w, obj, ty) || lk_py_known_class(py, obj, NULL) == LK_CLASS_LOOP)
        return;
    refer_attributes(py, w, obj);
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

/* What a future of C has in its structure, one of Python has in an attribute. */
static void refer_field(struct lk_py *py, struct walk *w, lk_addr obj, lk_addr value)
{
    if (value && !lk_py_has_value(py, obj, value, MAX_ITEMS))
        refer(w, value);
}

static void refer_callbacks(struct lk_py *py, struct walk *w, lk_addr obj)
{
    struct lk_aio_fut f;
    if (!lk_aio_read_fut(py, obj, &f))
        return;
    refer_field(py, w, obj, f.callback0);
    refer_field(py, w, obj, f.callbacks);
    refer_instance(py, w, obj);
}

static void look_into(struct lk_py *py, struct walk *w, lk_addr obj)
{
    struct lk_pyf f;
    w->at = obj;
    switch (lk_py_kind(py, obj)) {
    case LK_PYK_DICT: refer_entries(py, w, obj); break;
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
    case LK_PYK_ANEXT: refer(w, lk_py_ptr(py, lk_py_field(py, obj, INNER))); break;
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

static void refer_party(struct lk_py *py, struct walk *w, const struct lk_referrer *by)
{
    struct lk_aio_fut f;
    for (size_t i = 0; i < by->frames->n; i++)
        refer_frame(py, w, &by->frames->v[i]);
    if (by->object && lk_aio_read_fut(py, by->object, &f))
        refer_field(py, w, by->object, f.fut_waiter);
}

static int by_end(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    return x->to < y->to ? -1 : x->to > y->to;
}

struct lk_references *lk_references_find(struct lk_py *py, const struct lk_referrer *by, size_t n,
                                         unsigned steps, unsigned *budget)
{
    struct lk_references *r = lk_xcalloc(1, sizeof *r);
    struct walk w = { .r = r };
    r->n = LK_MIN(n, (size_t)MAX_REFERRERS);
    for (size_t i = 0; i < r->n; i++) {
        w.at = i + 1;
        if (by[i].object)
            lk_map_put(&r->objects, by[i].object, i + 1);
        refer_party(py, &w, &by[i]);
    }
    for (size_t i = 0; i < w.todo.n && *budget; i++) {
        const struct step at = w.todo.v[i];
        --*budget;
        w.far = at.far;
        if (at.far < steps)
            look_into(py, &w, at.obj);
    }
    if (r->edges.n)
        qsort(r->edges.v, r->edges.n, sizeof *r->edges.v, by_end);
    lk_map_deinit(&w.seen);
    lk_map_deinit(&w.read);
    lk_free(w.todo.v);
    return r;
}

void lk_references_free(struct lk_references *r)
{
    lk_map_deinit(&r->objects);
    lk_free(r->edges.v);
    lk_free(r);
}

/* ---- from the object back to the frames ------------------------------------------------------ */

struct back {
    const bool *counts;
    bool *has;
    lk_addr v[MOST];
    size_t n;
};

static bool add_referrer(const struct lk_references *r, struct back *b, lk_addr from)
{
    uint64_t number = from;
    if (from <= r->n || lk_map_get(&r->objects, from, &number)) {
        if (b->has)
            b->has[number - 1] = true;
        return !b->counts || b->counts[number - 1];
    }
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
    uint64_t list = 0;
    if (ty && lk_py_kind(py, obj) == LK_PYK_ASYNC_GEN)
        return false;
    return !ty || !lk_read_u64(py->t, ty->addr + py->layout.tp_weaklistoffset, &offset) ||
           (offset && !lk_read_u64(py->t, obj + offset, &list)) || list != 0;
}

/* The first edge that leads to the object. */
static size_t first_to(const struct lk_references *r, lk_addr obj)
{
    size_t low = 0, high = r->edges.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (r->edges.v[mid].to < obj)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Of a free-threaded build: what the owning thread counts, and the others together above two flags.
 * What is deferred (functions, modules) counts one more than there are. */
static bool read_split_count(struct lk_py *py, lk_addr obj, uint32_t *ret)
{
    uint32_t local;
    uint64_t shared;
    if (!lk_read_u32(py->t, obj + REF_LOCAL, &local) || local == UINT32_MAX ||
        !lk_read_u64(py->t, obj + REF_SHARED, &shared))
        return false;
    const int64_t n = (int64_t)local + ((int64_t)shared >> REF_FLAGS);
    *ret = (uint32_t)n;
    return n > 0 && n < UINT32_MAX;
}

static bool read_count(struct lk_py *py, lk_addr obj, uint32_t *ret)
{
    return py->free_threaded ? read_split_count(py, obj, ret) : lk_read_u32(py->t, obj, ret);
}

static bool all_found(struct lk_py *py, const struct lk_references *r, struct back *b, lk_addr obj)
{
    uint32_t counted, found = 0;
    if (!read_count(py, obj, &counted) || is_referred_weakly(py, obj))
        return false;
    for (size_t i = first_to(r, obj); i < r->edges.n && r->edges.v[i].to == obj; i++) {
        found++;
        if (!add_referrer(r, b, r->edges.v[i].from))
            return false;
    }
    return found > 0 && found == counted; /* more: it was read while it changed */
}

bool lk_references_keep(struct lk_py *py, const struct lk_references *r, lk_addr obj,
                        const bool *counts, bool *has)
{
    struct back b = { .counts = counts, .has = has, .v = { obj }, .n = 1 };
    bool all = !py->debug_build;
    for (size_t i = 0; i < b.n && all; i++)
        all = all_found(py, r, &b, b.v[i]);
    return all;
}

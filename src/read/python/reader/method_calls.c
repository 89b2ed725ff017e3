/*
 * Which object a frame's code calls a method on: what the names that it goes by stand for now, and
 * what a receiver does with the call.
 */
#include "read/python/reader/method_calls.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/receivers.h"

enum {
    MAX_HELD = 64, /* objects behind a receiver that are looked at */
    MAX_HELD_ATTRS = 512,
    NEXT_LOCALS_OBJECT = 8, /* f_locals follows f_globals (3.8 - 3.10) ... */
    /* ... or f_globals, f_builtins (3.11+), Include/internal/pycore_(interp)frame.h */
    NEXT_LOCALS_FRAME = 16,
};

/* ---- what a receiver does with the call ---------------------------------------------------- */

/** Whether obj stands behind a receiver, itself or in a chain of locks: a Semaphore holds a
 * Condition, that its lock. */
struct behind {
    lk_addr obj, seen[MAX_HELD];
    size_t n;
    unsigned left;
    bool found, cut;
};

static bool look_behind(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct behind *b = arg;
    lk_addr func, self;
    (void)key;

    if (lk_py_method(py, value, &func, &self))
        value = self;
    if (value == b->obj)
        return !(b->found = true);
    if (b->left-- == 0)
        return !(b->cut = true);
    enum lk_known_class cls = lk_py_known_class(py, value, NULL);
    if (!lk_class_synchronizes(cls))
        return true;
    for (size_t i = 0; i < b->n; i++)
        if (b->seen[i] == value)
            return true;
    if (b->n == MAX_HELD)
        return !(b->cut = true);
    b->seen[b->n++] = value;
    return true;
}

static enum lk_tri stands_behind(struct lk_py *py, lk_addr receiver, lk_addr obj)
{
    struct behind b = { .obj = obj, .seen = { receiver }, .n = 1, .left = MAX_HELD_ATTRS };

    for (size_t i = 0; i < b.n && !b.found && !b.cut; i++)
        lk_py_attr_each(py, b.seen[i], look_behind, &b);
    return b.found ? LK_YES : b.cut ? LK_TRI_UNKNOWN : LK_NO;
}

/* obj.name as far as it is plain: an instance's or module's own, or a lock kept in the class. */
static lk_addr plain_attr(struct lk_py *py, lk_addr obj, const char *name)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);

    if (!ty || lk_py_kind(py, obj) == LK_PYK_TYPE ||
        lk_py_kind(py, lk_py_type_attr(py, ty, "__getattribute__")) == LK_PYK_FUNCTION)
        return 0;
    lk_addr own = lk_py_attr(py, obj, name), shared = lk_py_type_attr(py, ty, name);
    if (!shared)
        return own;
    if (lk_py_known_class(py, shared, NULL) != LK_CLASS_OTHER)
        return own ? own : shared;
    /* A descriptor of the class comes before the instance; a slot's is the instance's own. */
    return lk_py_is_slot(py, shared) || lk_py_is_none(py, shared) ? own : 0;
}

static lk_addr global_attr(struct lk_py *py, lk_addr globals, const struct lk_receiver *s)
{
    lk_addr v = globals ? lk_py_dict_get(py, globals, s->name) : 0;
    for (unsigned i = 0; v && i < s->n_attrs; i++)
        v = plain_attr(py, v, s->attrs[i]);
    return v;
}

/* What it calls the method on is a global of its module, as handlers have it. */
static bool names_global(struct lk_py *py, lk_addr func, const struct lk_receivers *r, lk_addr obj)
{
    const lk_addr globals = lk_py_ptr(py, func + py->layout.func_globals);
    for (size_t i = 0; r->known && i < r->n; i++)
        if (r->v[i].from == LK_FROM_GLOBAL && !r->v[i].plain &&
            global_attr(py, globals, &r->v[i]) == obj)
            return true;
    return false;
}

/* Its method is made in C or the standard library's, and works on that object alone; or it calls
 * none of that name in turn. */
static bool is_others(struct lk_py *py, lk_addr receiver, const char *method, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, receiver);
    if (receiver == obj || !ty || lk_py_kind(py, receiver) == LK_PYK_TYPE ||
        lk_py_attr(py, receiver, method))
        return false;
    const lk_addr v = lk_py_type_attr(py, ty, method);
    const enum lk_pykind kind = v ? lk_py_kind(py, v) : LK_PYK_OTHER;
    const lk_addr code = kind == LK_PYK_FUNCTION ? lk_py_function_code(py, v) : 0;
    const struct lk_pycode *c = code ? lk_py_code(py, code) : NULL;
    if (!c || stands_behind(py, receiver, obj) != LK_NO)
        return kind == LK_PYK_METHOD_DESCR;
    const struct lk_receivers *r = lk_py_receivers(py, c, method);
    return lk_py_of_stdlib(py, c->code) || (r->known && r->n == 0);
}

/* All that it calls the method on are globals of its module that have nothing to do with obj. */
static bool names_others(struct lk_py *py, lk_addr func, const struct lk_receivers *r, lk_addr obj)
{
    const lk_addr globals = lk_py_ptr(py, func + py->layout.func_globals);
    for (size_t i = 0; i < r->n; i++) {
        const lk_addr v = r->v[i].from == LK_FROM_GLOBAL && !r->v[i].plain
                              ? global_attr(py, globals, &r->v[i])
                              : 0;
        if (!v || !is_others(py, v, r->method, obj))
            return false;
    }
    return r->known;
}

/* A function of the program that names the method in turn may do it to anything, if not to known
 * globals. The standard library's do it to their own. */
static enum lk_tri function_reaches(struct lk_py *py, lk_addr func, lk_addr self,
                                    const char *method, lk_addr obj)
{
    lk_addr code = lk_py_function_code(py, func);
    const struct lk_pycode *c = code ? lk_py_code(py, code) : NULL;
    enum lk_tri behind = self ? stands_behind(py, self, obj) : LK_NO;

    if (!c)
        return LK_TRI_UNKNOWN;
    if (behind != LK_NO || lk_py_of_stdlib(py, c->code))
        return behind;
    const struct lk_receivers *r = lk_py_receivers(py, c, method);
    if (names_others(py, func, r, obj)) /* none at all among them */
        return LK_NO;
    return names_global(py, func, r, obj) ? LK_YES : LK_TRI_UNKNOWN;
}

enum lk_tri lk_py_callable_reaches(struct lk_py *py, lk_addr callable, const char *method,
                                   lk_addr obj)
{
    lk_addr func, self;

    if (lk_py_kind(py, callable) == LK_PYK_FUNCTION)
        return function_reaches(py, callable, 0, method, obj);
    if (!lk_py_method(py, callable, &func, &self))
        return LK_TRI_UNKNOWN;
    if (self == obj)
        return LK_YES;
    return func ? function_reaches(py, func, self, method, obj) : LK_NO;
}

static enum lk_tri call_reaches(struct lk_py *py, lk_addr receiver, const char *method, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, receiver);

    if (receiver == obj)
        return LK_YES;
    /* Lock.release(lock): the receiver says nothing. */
    if (!ty || lk_py_kind(py, receiver) == LK_PYK_TYPE)
        return LK_TRI_UNKNOWN;
    lk_addr v = lk_py_attr(py, receiver, method);
    if (v)
        return lk_py_callable_reaches(py, v, method, obj);
    v = lk_py_type_attr(py, ty, method);
    switch (v ? lk_py_kind(py, v) : LK_PYK_OTHER) {
    case LK_PYK_METHOD_DESCR: return LK_NO; /* made in C: works on its own object */
    case LK_PYK_FUNCTION: return function_reaches(py, v, receiver, method, obj);
    default: return LK_TRI_UNKNOWN; /* properties, proxies with __getattr__ */
    }
}

/* ---- which object it is ------------------------------------------------------------------- */

/* exec() may run a module's code with locals that are not its globals. */
static lk_addr from_namespace(struct lk_py *py, const struct lk_pyf *f, const char *name)
{
    const struct lk_layout *l = &py->layout;
    lk_addr at = l->frame_kind == LK_FRAME_OBJECT ? f->addr + l->f_globals + NEXT_LOCALS_OBJECT
                                                  : f->addr + l->if_globals + NEXT_LOCALS_FRAME;

    return f->globals && lk_py_ptr(py, at) == f->globals ? lk_py_dict_get(py, f->globals, name) : 0;
}

static lk_addr resolve(struct lk_py *py, const struct lk_pyf *f, const struct lk_receiver *s)
{
    lk_addr v = 0;

    switch (s->from) {
    case LK_FROM_NOWHERE: return 0;
    case LK_FROM_GLOBAL: return global_attr(py, f->globals, s);
    case LK_FROM_LOCAL: v = lk_py_local(py, f, s->name); break;
    case LK_FROM_NAMESPACE: v = from_namespace(py, f, s->name); break;
    }
    for (unsigned i = 0; v && i < s->n_attrs; i++)
        v = plain_attr(py, v, s->attrs[i]);
    return v;
}

/* What a name is now it is at this place, for who stands at `from`. */
static bool holds_until(const struct lk_receiver *site, uint32_t from)
{
    return !site->loose || (from > site->stored_at && from <= site->at);
}

/* The instruction that it stands at. */
static uint32_t unit_of(const struct lk_pyf *f)
{
    return f->lasti > 0 ? (uint32_t)f->lasti / 2 : 0;
}

static enum lk_tri calls_from(struct lk_py *py, const struct lk_pyf *f, const char *method,
                              lk_addr obj, uint32_t from)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    const struct lk_receivers *r = c ? lk_py_receivers(py, c, method) : NULL;
    enum lk_tri ret = LK_NO;

    if (!r || !r->known)
        return LK_TRI_UNKNOWN;
    for (size_t i = 0; i < r->n; i++) {
        if (r->v[i].until < from)
            continue;
        lk_addr v = holds_until(&r->v[i], from) ? resolve(py, f, &r->v[i]) : 0;
        enum lk_tri here = !v              ? LK_TRI_UNKNOWN
                           : r->v[i].plain ? lk_py_callable_reaches(py, v, method, obj)
                                           : call_reaches(py, v, method, obj);
        if (here == LK_YES)
            return LK_YES;
        if (here != LK_NO || r->v[i].loose) /* another time round it may be another object */
            ret = LK_TRI_UNKNOWN;
    }
    return ret;
}

enum lk_tri lk_py_calls_method_on(struct lk_py *py, const struct lk_pyf *f, const char *method,
                                  lk_addr obj)
{
    return calls_from(py, f, method, obj, 0);
}

enum lk_tri lk_py_will_call_method_on(struct lk_py *py, const struct lk_pyf *f, const char *method,
                                      lk_addr obj)
{
    return calls_from(py, f, method, obj, unit_of(f));
}

bool lk_py_will_call_method_once(struct lk_py *py, const struct lk_pyf *f, const char *method,
                                 lk_addr obj)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    const struct lk_receivers *r = c ? lk_py_receivers(py, c, method) : NULL;
    const uint32_t from = unit_of(f);
    for (size_t i = 0; r && r->known && i < r->n; i++) {
        const struct lk_receiver *site = &r->v[i];
        if (site->plain || site->at < from || !(site->loose || site->until == site->at) ||
            !holds_until(site, from))
            continue;
        lk_addr v = resolve(py, f, site);
        if (v && call_reaches(py, v, method, obj) == LK_YES)
            return true;
    }
    return false;
}

/* Whether f may still come to the place, with what it has now. */
static bool is_ahead(const struct lk_pyf *f, const struct lk_receiver *site)
{
    return site->until >= unit_of(f) && holds_until(site, unit_of(f));
}

static size_t receivers(struct lk_py *py, const struct lk_pyf *f, const char *method, bool ahead,
                        lk_addr *ret, size_t max)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    const struct lk_receivers *r = c ? lk_py_receivers(py, c, method) : NULL;
    size_t n = 0;
    for (size_t i = 0; r && r->known && i < r->n && n < max; i++) {
        const struct lk_receiver *site = &r->v[i];
        bool there = ahead ? is_ahead(f, site) : site->at < unit_of(f);
        lk_addr v = there && !site->plain ? resolve(py, f, site) : 0;
        if (v)
            ret[n++] = v;
    }
    return n;
}

size_t lk_py_receivers_ahead(struct lk_py *py, const struct lk_pyf *f, const char *method,
                             lk_addr *ret, size_t max)
{
    return receivers(py, f, method, true, ret, max);
}

size_t lk_py_receivers_behind(struct lk_py *py, const struct lk_pyf *f, const char *method,
                              lk_addr *ret, size_t max)
{
    return receivers(py, f, method, false, ret, max);
}

int64_t lk_py_calls_before(struct lk_py *py, const struct lk_pyf *f, const char *method,
                           lk_addr obj)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    const struct lk_receivers *r = c ? lk_py_receivers(py, c, method) : NULL;
    int64_t n = 0;
    for (size_t i = 0; r && r->known && i < r->n; i++)
        n += !r->v[i].plain && r->v[i].at < unit_of(f) && resolve(py, f, &r->v[i]) == obj;
    return n;
}

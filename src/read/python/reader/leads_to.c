/*
 * Breadth first, so that what is near is found before the budget is spent on what is far. A budget
 * that is spent finds everything: who asks wants to know that somebody has no hold of an object.
 */
#include "read/python/reader/leads_to.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/queue_items.h"
#include "util/memory.h"
#include "util/text.h"

enum { MAX_BASES = 8 };

struct step {
    lk_addr obj;
    unsigned far;
    bool counts; /* may be met */
};

struct walk {
    struct lk_leads_to *x;
    struct lk_map seen, made_by; /* objects; types -> enum lk_made_by */
    LK_VEC(struct step) todo;
    struct step at; /* what is being looked into; whether what it refers to counts */
};

/* What does not count may do so on another way: objects are aligned, which leaves a bit. */
static void add(struct walk *w, lk_addr obj)
{
    if (obj && lk_py_plausible(obj) && lk_map_add(&w->seen, obj | w->at.counts, 1))
        lk_vec_add(&w->todo, ((struct step){ obj, w->at.far + 1, w->at.counts }));
}

static bool add_entry(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    (void)py;
    (void)key;
    struct walk *w = arg;
    add(w, value);
    return w->todo.n <= w->x->budget;
}

static bool add_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    (void)py;
    (void)name;
    add(arg, value);
    return true;
}

/* Attributes in slots, which the class describes. */
struct slots {
    struct walk *w;
    lk_addr obj;
};

static bool add_slot(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    const struct slots *s = arg;
    if (lk_py_is_slot(py, value))
        add(s->w, lk_py_slot_value(py, s->obj, key, value));
    return true;
}

/* Whose it is what the object refers to. */
static bool is_librarys(struct lk_py *py, struct walk *w, const struct lk_pytype *ty)
{
    uint64_t by = 0;
    if (!w->x->not_packages && !w->x->not_librarys)
        return false;
    if (!lk_map_get(&w->made_by, ty->addr, &by)) {
        by = lk_py_class_made_by(py, ty);
        lk_map_put(&w->made_by, ty->addr, by);
    }
    return (by == LK_MADE_BY_PACKAGE && w->x->not_packages) ||
           (by == LK_MADE_BY_STDLIB && w->x->not_librarys);
}

static bool is_callable(struct lk_py *py, lk_addr obj)
{
    switch (lk_py_kind(py, obj)) {
    case LK_PYK_FUNCTION:
    case LK_PYK_METHOD:
    case LK_PYK_BUILTIN_METHOD:
    case LK_PYK_PARTIAL:
    case LK_PYK_COROUTINE: return true;
    default: return false;
    }
}

/* An attribute of a library's object. What it calls something with has a name that says so
 * (threading.py _args, Timer.args; concurrent/futures/thread.py _WorkItem.args). */
static bool add_librarys(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct walk *w = arg;
    char name[32];
    const bool before = w->at.counts;
    w->at.counts = lk_py_str_raw(py, key, name, sizeof name) && lk_ends_with(name, "args");
    bool more = add_entry(py, key, value, arg);
    w->at.counts = before;
    return more;
}

static void look_into_instance(struct lk_py *py, struct walk *w, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    struct slots s = { w, obj };
    const enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    if (!ty || cls == LK_CLASS_LOOP)
        return;
    if (cls == LK_CLASS_GREEN_GROUP) { /* who has that has them */
        add(w, lk_py_attr(py, obj, "greenlets"));
        return;
    }
    bool librarys = is_librarys(py, w, ty);
    lk_py_attr_each(py, obj, librarys ? add_librarys : add_entry, w);
    w->at.counts = !librarys;
    for (unsigned i = 0; ty && (ty->flags & LK_TPFLAG_HEAPTYPE) && i < MAX_BASES; i++) {
        if (ty->dict)
            lk_py_dict_each(py, ty->dict, add_slot, &s);
        ty = ty->base ? lk_py_type_at(py, ty->base) : NULL;
    }
}

static void look_into_items(struct lk_py *py, struct walk *w, lk_addr obj)
{
    size_t n = 0;
    /* more than there is left to look at spend what is left */
    lk_addr *items = lk_py_items(py, obj, (size_t)w->x->budget + 1, &n);
    /* a callback and what it is called with */
    for (size_t i = 0; items && i < n && !w->at.counts; i++)
        w->at.counts = is_callable(py, items[i]);
    for (size_t i = 0; items && i < n; i++)
        add(w, items[i]);
}

static void look_into_queue(struct lk_py *py, struct walk *w, lk_addr queue)
{
    size_t n = 0;
    lk_addr *items;
    if (!lk_py_queue_items(py, queue, &items, &n))
        return;
    for (size_t i = 0; i < n && w->todo.n <= w->x->budget; i++)
        add(w, items[i]);
}

static void look_into_callable(struct lk_py *py, struct walk *w, lk_addr obj)
{
    lk_addr func = 0, self = 0;
    if (lk_py_partial(py, obj, &func, &self) || lk_py_method(py, obj, &func, &self)) {
        add(w, func);
        add(w, self);
    }
}

/* counts: it would be met. */
static void look_into_function(struct lk_py *py, struct walk *w, lk_addr func, bool counts)
{
    if (w->x->function && counts)
        w->x->function(py, func, w->x->arg);
    look_into_items(py, w, lk_py_ptr(py, func + py->layout.func_closure));
}

static bool is_data(enum lk_pykind kind)
{
    return kind == LK_PYK_OTHER || kind == LK_PYK_DICT || kind == LK_PYK_TUPLE ||
           kind == LK_PYK_LIST || kind == LK_PYK_SET || kind == LK_PYK_DEQUE;
}

static void look_into(struct lk_py *py, struct walk *w, lk_addr obj)
{
    struct lk_pyf f;
    enum lk_pykind kind = lk_py_kind(py, obj);
    if (w->x->data_only && !is_data(kind))
        return;
    const bool counts = w->at.counts;
    w->at.counts |= is_callable(py, obj);
    switch (kind) {
    case LK_PYK_DICT:
        lk_py_dict_each(py, obj, add_entry, w);
        look_into_instance(py, w, obj);
        break;
    case LK_PYK_TUPLE:
    case LK_PYK_LIST:
    case LK_PYK_SET:
    case LK_PYK_DEQUE:
        look_into_items(py, w, obj);
        look_into_instance(py, w, obj);
        break;
    case LK_PYK_SIMPLEQUEUE: look_into_queue(py, w, obj); break;
    case LK_PYK_CELL: add(w, lk_py_cell(py, obj)); break;
    case LK_PYK_FUNCTION: look_into_function(py, w, obj, counts); break;
    case LK_PYK_METHOD:
    case LK_PYK_BUILTIN_METHOD:
    case LK_PYK_PARTIAL: look_into_callable(py, w, obj); break;
    case LK_PYK_COROUTINE:
    case LK_PYK_GENERATOR:
    case LK_PYK_ASYNC_GEN:
        if (lk_py_gen_frame(py, obj, &f))
            lk_py_local_each(py, &f, add_local, w);
        break;
    case LK_PYK_OTHER:
    case LK_PYK_TASK:
    case LK_PYK_FUTURE: look_into_instance(py, w, obj); break;
    default: break;
    }
}

bool lk_py_lead_to(struct lk_py *py, const lk_addr *from, size_t n, struct lk_leads_to *x)
{
    struct walk w = { .x = x };
    bool found = false;
    for (size_t i = 0; i < n; i++)
        if (lk_map_add(&w.seen, from[i] | 1, 1))
            lk_vec_add(&w.todo, ((struct step){ from[i], 0, true }));
    for (size_t i = 0; i < w.todo.n && !found; i++) {
        struct step at = w.todo.v[i];
        found = x->budget == 0 || (at.counts && at.obj == x->wanted);
        if (found)
            break;
        x->budget--;
        bool is_met = x->each && at.counts && lk_map_get(x->each, at.obj, NULL);
        if (is_met)
            x->met(py, at.obj, x->arg);
        w.at = at;
        bool in = !x->visit || x->visit(py, at.obj, at.far, x->arg);
        if (in && at.far < x->steps && !(is_met && x->not_behind))
            look_into(py, &w, at.obj);
    }
    lk_map_deinit(&w.seen);
    lk_map_deinit(&w.made_by);
    lk_free(w.todo.v);
    return found;
}

bool lk_py_leads_to(struct lk_py *py, lk_addr from, struct lk_leads_to *x)
{
    return lk_py_lead_to(py, &from, 1, x);
}

static bool add_root(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct lk_roots *r = arg;
    (void)py;
    (void)name;
    if (value)
        lk_vec_add(r, value);
    return true;
}

void lk_py_add_roots(struct lk_py *py, const struct lk_pyf *f, struct lk_roots *roots)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    if (c && strcmp(c->code->function, "<module>") != 0)
        lk_py_local_each(py, f, add_root, roots);
}

/*
 * Which functions of the program may still be called, by anybody, and what they name.
 * Those that somebody has besides their module (a route, a registry, a decorator's closure: more
 * than one reference, Include/object.h ob_refcnt), methods, and those that such code names in turn;
 * who starts a thread with a function does not call it. Names are compared by their text, so that
 * more is in reach than is called, never less.
 */
#include "read/python/stdlib/code_in_reach.h"

#include <stdlib.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/code_names.h"
#include "read/python/reader/leads_to.h"
#include "read/python/reader/method_calls.h"
#include "read/python/reader/names_ahead.h"
#include "util/memory.h"

enum {
    MAX_NAMES = LK_CODE_MAX_NAMES,
    MAX_FUNCTIONS = 8192,
    MAX_WRAPPED = 16,   /* functions of decorators within one another */
    STEPS = 6,          /* from a name to the object: a list of answers, their pool, its queue */
    STEPS_TO_CODE = 4,  /* from a frame to a view: server, application, table, function */
    SEARCH = 20000,     /* objects of such a search */
    MAX_CALLED = 3,     /* functions that a frame's code calls, one within the other */
    MAX_ARGUMENTS = 16, /* given by name in one call */
    MODULE_DICT = 16,
};

struct function {
    uint64_t name;
    lk_addr func, code;
    struct lk_code_names names;
    bool called; /* somebody may call it */
    /* of a class of threads: run() is what a thread runs, and calls the others; where one does, its
     * stack shows it */
    bool of_thread;
};

struct reach {
    const struct lk_reach_query *q;
    struct lk_map seen; /* code objects */
    LK_VEC(struct function) functions;
    struct lk_code_names handles,
        kept; /* names by which the waiter's code has the object, or a container */
    unsigned wrapped;
    bool of_thread; /* the class that is being looked at */
    bool cut;       /* there is more than was looked at */
    bool left_out;  /* ... functions, that is */
};

/* ---- by what the waiter has the object ----------------------------------------------------- */

static bool leads(struct lk_py *py, struct reach *r, lk_addr from)
{
    struct lk_leads_to x = { .wanted = r->q->obj,
                             .steps = STEPS,
                             .budget = LK_MIN(*r->q->budget, (unsigned)SEARCH) };
    unsigned before = x.budget;
    bool ret = from == r->q->obj || lk_py_leads_to(py, from, &x);
    *r->q->budget -= before - x.budget;
    return ret;
}

static bool is_container(enum lk_pykind kind)
{
    return kind == LK_PYK_LIST || kind == LK_PYK_DICT || kind == LK_PYK_SET ||
           kind == LK_PYK_DEQUE || kind == LK_PYK_TUPLE;
}

static void add_handle(struct lk_py *py, struct reach *r, uint64_t name, lk_addr value)
{
    enum lk_pykind kind = lk_py_kind(py, value);
    if (kind == LK_PYK_FUNCTION || kind == LK_PYK_TYPE || kind == LK_PYK_MODULE ||
        !leads(py, r, value))
        return;
    lk_code_names_add(&r->handles, name);
    if (is_container(kind))
        lk_code_names_add(&r->kept, name);
}

struct local {
    struct reach *r;
    const struct lk_code_names *names;
    const struct lk_pycode *code;
};

/* self.changed, job.done: the attribute's name; and variables that functions share. */
static bool add_attr_handle(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    const struct local *l = arg;
    if (value == l->r->q->obj)
        lk_code_names_add(&l->r->handles, lk_name_hash(py, key));
    return true;
}

static bool add_local_handle(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct local *l = arg;
    const struct lk_pycode *c = l->code;
    if (lk_py_kind(py, value) == LK_PYK_OTHER)
        lk_py_attr_each(py, value, add_attr_handle, l);
    for (int i = 0; i < c->nlocalsplus; i++)
        if ((c->local_kinds[i] & LK_PY_LOCAL_SHARED) && strcmp(c->local_names[i], name) == 0)
            add_handle(py, l->r, lk_hash_str(LK_HASH_INIT, name), value);
    return true;
}

static bool is_of_program(struct lk_py *py, const struct lk_pycode *c)
{
    return c && !lk_py_is_library(py, c->code->file);
}

static void add_handles_of_frame(struct lk_py *py, struct reach *r, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    size_t n = 0;
    if (!is_of_program(py, c))
        return;
    lk_addr *v = lk_py_items(py, lk_py_ptr(py, f->code + py->layout.co_names), MAX_NAMES, &n);
    for (size_t i = 0; v && f->globals && i < n; i++) {
        char name[LK_PY_MAX_STR];
        lk_addr value =
            lk_py_str_raw(py, v[i], name, sizeof name) ? lk_py_dict_get(py, f->globals, name) : 0;
        if (value)
            add_handle(py, r, lk_hash_str(LK_HASH_INIT, name), value);
    }
    struct local l = { .r = r, .code = c };
    if (lk_py_code_locals(py, c))
        lk_py_local_each(py, f, add_local_handle, &l);
}

/* ---- functions ------------------------------------------------------------------------------ */

static bool is_held_besides(struct lk_py *py, lk_addr func)
{
    uint32_t references; /* the lower half of ob_refcnt: 3.14 keeps flags above it */
    return py->free_threaded || py->debug_build || !lk_read_u32(py->t, func, &references) ||
           references != 1;
}

static void add_function(struct lk_py *py, struct reach *r, uint64_t name, lk_addr func,
                         bool called);

/* What a decorator wraps is called by what stands in its place. */
static void add_wrapped(struct lk_py *py, struct reach *r, uint64_t name, lk_addr func)
{
    size_t n = 0;
    lk_addr *cells = lk_py_items(py, lk_py_ptr(py, func + py->layout.func_closure), MAX_NAMES, &n);
    for (size_t i = 0; cells && i < n; i++) {
        lk_addr inner = lk_py_cell(py, cells[i]);
        if (inner && lk_py_kind(py, inner) == LK_PYK_FUNCTION)
            add_function(py, r, name, inner, true);
    }
}

static void add_function(struct lk_py *py, struct reach *r, uint64_t name, lk_addr func,
                         bool called)
{
    lk_addr code = lk_py_function_code(py, func);
    const struct lk_pycode *c = code ? lk_py_code(py, code) : NULL;
    r->left_out |= r->functions.n >= MAX_FUNCTIONS || r->wrapped == MAX_WRAPPED;
    r->cut |= r->left_out;
    if (!c || r->functions.n >= MAX_FUNCTIONS || r->wrapped == MAX_WRAPPED ||
        !lk_map_add(&r->seen, code, 1))
        return;
    r->wrapped++;
    add_wrapped(py, r, name, func);
    r->wrapped--;
    if (!is_of_program(py, c))
        return;
    struct function f = { .name = name,
                          .func = func,
                          .code = code,
                          .of_thread = r->of_thread,
                          .called = called || is_held_besides(py, func) };
    lk_code_names_read(py, code, &f.names);
    r->cut |= f.names.cut;
    lk_vec_add(&r->functions, f);
}

static bool add_member(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct reach *r = arg;
    value = lk_py_described(py, value);
    if (value && lk_py_kind(py, value) == LK_PYK_FUNCTION)
        add_function(py, r, lk_name_hash(py, key), value, true);
    return r->functions.n < MAX_FUNCTIONS;
}

static bool is_thread_class(struct lk_py *py, const struct lk_pytype *ty)
{
    for (unsigned i = 0; ty && i < LK_PY_MAX_MRO; i++) {
        if (strcmp(ty->name, "Thread") == 0)
            return true;
        ty = ty->base ? lk_py_type_at(py, ty->base) : NULL;
    }
    return false;
}

static bool add_global(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct reach *r = arg;
    enum lk_pykind kind = lk_py_kind(py, value);
    if (kind == LK_PYK_FUNCTION)
        add_function(py, r, lk_name_hash(py, key), value, false);
    const struct lk_pytype *ty = kind == LK_PYK_TYPE ? lk_py_type_at(py, value) : NULL;
    if (ty && (ty->flags & LK_TPFLAG_HEAPTYPE) && ty->dict && lk_map_add(&r->seen, value, 1)) {
        r->of_thread = is_thread_class(py, ty);
        lk_py_dict_each(py, ty->dict, add_member, r);
        r->of_thread = false;
    }
    return r->functions.n < MAX_FUNCTIONS;
}

static bool add_module(struct lk_py *py, lk_addr key, lk_addr module, void *arg)
{
    char file[LK_PY_MAX_STR];
    lk_addr dict = lk_py_kind(py, module) == LK_PYK_MODULE
                       ? lk_py_ptr(py, lk_py_field(py, module, MODULE_DICT))
                       : 0;
    lk_addr path = dict ? lk_py_dict_get(py, dict, "__file__") : 0;
    struct lk_code code = { .file = file };
    struct lk_pycode c = { .code = &code };
    bool main = dict && lk_py_str_eq(py, key, "__main__");
    if (main || (path && lk_py_str_raw(py, path, file, sizeof file) && is_of_program(py, &c)))
        lk_py_dict_each(py, dict, add_global, arg);
    return true;
}

/* What the waiter's callers have at hand: an application, and with it the views in its table. */
static void add_found(struct lk_py *py, lk_addr func, void *arg)
{
    add_function(py, arg, 0, func, true);
}

struct from_local {
    struct reach *r;
    struct lk_leads_to x;
};

static bool look_for_functions(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    (void)name;
    struct from_local *f = arg;
    lk_py_leads_to(py, value, &f->x);
    return f->x.budget > 0;
}

static void add_functions(struct lk_py *py, struct reach *r)
{
    struct from_local f = { r,
                            { .steps = STEPS_TO_CODE,
                              .budget = LK_MIN(*r->q->budget, (unsigned)SEARCH),
                              .function = add_found,
                              .arg = r } };
    unsigned before = f.x.budget;
    for (size_t i = 0; i < py->interpreters.n; i++)
        if (py->interpreters.v[i].modules)
            lk_py_dict_each(py, py->interpreters.v[i].modules, add_module, r);
    for (size_t i = 0; i < r->q->waiter->n && f.x.budget; i++)
        lk_py_local_each(py, &r->q->waiter->v[i], look_for_functions, &f);
    *r->q->budget -= before - f.x.budget;
}

/* ---- who may be called ---------------------------------------------------------------- */

static void spread(struct reach *r)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < r->functions.n; i++) {
            const struct function *f = &r->functions.v[i];
            if (!f->called || f->of_thread || lk_code_names_has(&f->names, "Thread") ||
                lk_code_names_has(&f->names, "Process"))
                continue;
            for (size_t k = 0; k < r->functions.n; k++) {
                struct function *g = &r->functions.v[k];
                if (g->called || g->of_thread || !g->name ||
                    !lk_map_get(&f->names.set, g->name, NULL))
                    continue;
                g->called = more = true;
            }
        }
    }
}

static bool share(const struct lk_code_names *a, const struct lk_code_names *b)
{
    for (size_t i = 0; i < a->set.cap; i++)
        if (a->set.used[i] && lk_map_get(&b->set, a->set.keys[i], NULL))
            return true;
    return false;
}

static bool is_waiters(const struct reach *r, lk_addr code)
{
    for (size_t i = 0; i < r->q->waiter->n; i++)
        if (r->q->waiter->v[i].code == code)
            return true;
    return false;
}

/* What its code says, whoever may call it. */
static bool would_end(const struct reach *r, const struct function *f)
{
    bool calls = false;
    for (const char *const *m = r->q->methods; *m; m++)
        calls |= lk_code_names_has(&f->names, *m) && !lk_code_names_has(&f->names, r->q->unless);
    return (calls && share(&r->handles, &f->names)) ||
           (r->q->kept && !is_waiters(r, f->code) && share(&r->kept, &f->names));
}

static bool may_be_called(const struct reach *r, const struct function *f)
{
    return f->called && !(r->q->others && is_waiters(r, f->code));
}

static bool any_ends(const struct reach *r)
{
    bool ret = false, idle = false;
    for (size_t i = 0; i < r->functions.n && !ret; i++) {
        const struct function *f = &r->functions.v[i];
        bool would = !f->of_thread && would_end(r, f);
        ret = would && may_be_called(r, f);
        idle |= would;
    }
    if (r->q->idle)
        *r->q->idle = idle;
    return ret;
}

static void end_reach(struct reach *r)
{
    for (size_t i = 0; i < r->functions.n; i++)
        lk_map_deinit(&r->functions.v[i].names.set);
    lk_free(r->functions.v);
    lk_map_deinit(&r->seen);
    lk_map_deinit(&r->handles.set);
    lk_map_deinit(&r->kept.set);
}

bool lk_py_code_is_in_reach(struct lk_py *py, const struct lk_reach_query *q)
{
    struct reach r = { .q = q };
    for (size_t i = 0; i < q->waiter->n; i++)
        add_handles_of_frame(py, &r, &q->waiter->v[i]);
    if (r.handles.n) {
        add_functions(py, &r);
        spread(&r);
    }
    const bool ret = any_ends(&r) || r.cut || r.handles.cut;
    end_reach(&r);
    return ret || *q->budget == 0;
}

static bool local_leads(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct reach *r = arg;
    if (leads(py, r, value))
        lk_code_names_add(&r->handles, lk_hash_str(LK_HASH_INIT, name));
    return r->handles.n == 0;
}

bool lk_py_code_has(struct lk_py *py, const struct lk_reach_query *q)
{
    struct reach r = { .q = q };
    for (size_t i = 0; i < q->waiter->n && !r.handles.n; i++) {
        if (is_of_program(py, lk_py_code(py, q->waiter->v[i].code)))
            lk_py_local_each(py, &q->waiter->v[i], local_leads, &r);
        add_handles_of_frame(py, &r, &q->waiter->v[i]);
    }
    bool ret = r.handles.n > 0;
    end_reach(&r);
    return ret || *q->budget == 0;
}

/* ---- what frames are about to call ---------------------------------------------------------- */

struct lk_program_code {
    struct reach r;
    struct lk_reach_query q;
    struct lk_pyframes none;
    unsigned budget;
};

struct lk_program_code *lk_program_code_read(struct lk_py *py)
{
    struct lk_program_code *p = lk_xcalloc(1, sizeof *p);
    p->budget = SEARCH;
    p->q = (struct lk_reach_query){ .waiter = &p->none, .budget = &p->budget };
    p->r.q = &p->q;
    add_functions(py, &p->r);
    return p;
}

void lk_program_code_free(struct lk_program_code *p)
{
    if (!p)
        return;
    end_reach(&p->r);
    lk_free(p);
}

/* A piece of code, and what of its names is still to come. */
struct place {
    lk_addr code, func;
    const struct lk_pyf *frame; /* that stands in it; else it is yet to be called */
    const struct lk_code_names *names;
};

/* One query, from frame to function to function. */
struct query {
    struct lk_py *py;
    const struct lk_program_code *p;
    const struct lk_called *called;
    lk_addr on;
    struct lk_map asked; /* functions */
};

static bool calls_method(const struct query *q, const struct place *at, const char *method)
{
    if (!lk_code_names_has(at->names, method))
        return false;
    return !q->on || (at->frame ? lk_py_will_call_method_on(q->py, at->frame, method, q->on)
                                : lk_py_callable_reaches(q->py, at->func, method, q->on)) != LK_NO;
}

static bool sets_attribute(const struct query *q, const struct place *at)
{
    const struct lk_pyf whole = { .code = at->code, .lasti = -1 };
    return lk_code_names_has(at->names, q->called->sets) &&
           lk_py_will_store(q->py, at->frame ? at->frame : &whole, q->called->sets);
}

/* The names of what is given to a call stand as a tuple among the constants. */
static bool gives_argument(const struct query *q, const struct place *at)
{
    struct lk_py *py = q->py;
    size_t n = 0;
    if (!lk_code_names_has(at->names, q->called->argument_of))
        return false;
    lk_addr *v = lk_py_items(py, lk_py_ptr(py, at->code + py->layout.co_consts), MAX_NAMES, &n);
    for (size_t i = 0; v && i < n; i++) {
        const int64_t len = lk_py_kind(py, v[i]) == LK_PYK_TUPLE ? lk_py_len(py, v[i]) : 0;
        for (int64_t k = 0; k < len && k < MAX_ARGUMENTS; k++)
            if (lk_py_str_eq(py, lk_py_item(py, v[i], (size_t)k), q->called->argument))
                return true;
    }
    return false;
}

static bool does_it(const struct query *q, const struct place *at)
{
    bool ret = at->names->cut || sets_attribute(q, at) || gives_argument(q, at);
    for (const char *const *m = q->called->methods; *m && !ret; m++)
        ret = calls_method(q, at, *m);
    return ret && !lk_code_names_has(at->names, q->called->unless);
}

static bool leads_to_it(struct query *q, const struct place *at, unsigned deep)
{
    if (does_it(q, at))
        return true;
    for (size_t i = 0; deep < MAX_CALLED && i < q->p->r.functions.n; i++) {
        const struct function *f = &q->p->r.functions.v[i];
        const struct place next = { f->code, f->func, NULL, &f->names };
        if (f->name && lk_map_get(&at->names->set, f->name, NULL) &&
            lk_map_add(&q->asked, f->code, 1) && leads_to_it(q, &next, deep + 1))
            return true;
    }
    return false;
}

static bool function_leads_to_it(struct query *q, lk_addr func)
{
    struct lk_code_names n = { 0 };
    const lk_addr code = lk_py_function_code(q->py, func);
    const struct place at = { code, func, NULL, &n };
    if (!code || !is_of_program(q->py, lk_py_code(q->py, code)))
        return false;
    lk_code_names_read(q->py, code, &n);
    const bool ret = leads_to_it(q, &at, 0);
    lk_map_deinit(&n.set);
    return ret;
}

struct own_functions {
    struct query *q;
    bool found;
};

/* Functions within the function that is running, or that it was given, are no module's. */
static bool local_calls(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct own_functions *o = arg;
    lk_addr func = 0, self = 0;
    (void)name;
    value = lk_py_kind(py, value) == LK_PYK_CELL ? lk_py_cell(py, value) : value;
    if (value && lk_py_method(py, value, &func, &self))
        value = func;
    if (value && lk_py_kind(py, value) == LK_PYK_FUNCTION)
        o->found = function_leads_to_it(o->q, value);
    return !o->found;
}

/* By a name that the frame has now, under which it is called. */
static bool is_bound(struct lk_py *py, const struct lk_pyf *f, lk_addr code)
{
    const struct lk_pycode *c = lk_py_code(py, code);
    return c && (lk_py_local(py, f, c->code->function) ||
                 (f->globals && lk_py_dict_get(py, f->globals, c->code->function)));
}

/* What is defined already counts where it is called. */
static void add_names_ahead(struct lk_py *py, const struct lk_pyf *f, struct lk_code_names *n)
{
    size_t n_ahead = 0, k = 0;
    const uint8_t *ahead = lk_py_names_ahead(py, f, &n_ahead);
    if (!ahead) {
        lk_code_names_read(py, f->code, n);
        return;
    }
    lk_addr *v = lk_py_items(py, lk_py_ptr(py, f->code + py->layout.co_names), MAX_NAMES, &k);
    n->cut |= n_ahead > MAX_NAMES;
    for (size_t i = 0; v && i < LK_MIN(k, n_ahead); i++)
        if (ahead[i])
            lk_code_names_add(n, lk_name_hash(py, v[i]));
    v = lk_py_items(py, lk_py_ptr(py, f->code + py->layout.co_consts), MAX_NAMES, &k);
    for (size_t i = 0; v && i < k; i++)
        if (lk_py_kind(py, v[i]) == LK_PYK_CODE && !is_bound(py, f, v[i]))
            lk_code_names_read(py, v[i], n);
}

static bool frame_leads_to_it(struct query *q, const struct lk_pyf *f)
{
    struct own_functions o = { q, false };
    struct lk_code_names n = { 0 };
    const struct place at = { f->code, 0, f, &n };
    if (!is_of_program(q->py, lk_py_code(q->py, f->code)))
        return false;
    add_names_ahead(q->py, f, &n);
    o.found = leads_to_it(q, &at, 0);
    if (!o.found)
        lk_py_local_each(q->py, f, local_calls, &o);
    lk_map_deinit(&n.set);
    return o.found;
}

bool lk_program_code_calls(struct lk_py *py, const struct lk_program_code *p,
                           const struct lk_pyframes *frames, const struct lk_called *called,
                           lk_addr on)
{
    struct query q = { .py = py, .p = p, .called = called, .on = on };
    bool ret = p->r.left_out;
    for (size_t i = 0; i < frames->n && !ret; i++)
        ret = frame_leads_to_it(&q, &frames->v[i]);
    lk_map_deinit(&q.asked);
    return ret;
}

bool lk_program_code_function_calls(struct lk_py *py, const struct lk_program_code *p,
                                    lk_addr function, const struct lk_called *called, lk_addr on)
{
    struct query q = { .py = py, .p = p, .called = called, .on = on };
    const bool ret = p->r.left_out || function_leads_to_it(&q, function);
    lk_map_deinit(&q.asked);
    return ret;
}

bool lk_program_code_has(const struct lk_program_code *p, const struct lk_called *called)
{
    bool ret = p->r.left_out;
    for (size_t i = 0; i < p->r.functions.n && !ret; i++) {
        const struct lk_code_names *n = &p->r.functions.v[i].names;
        ret = n->cut || lk_code_names_has(n, called->sets) ||
              lk_code_names_has(n, called->argument_of);
        for (const char *const *m = called->methods; *m && !ret; m++)
            ret = lk_code_names_has(n, *m);
    }
    return ret;
}

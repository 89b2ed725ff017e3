/*
 * Looking at one object after the other for what is wanted. Containers are looked through,
 * functions by their cells and defaults, bound methods and partials by what they bind, weak
 * references followed; instances are kept, to be asked by name (at_hand.c). A transport's callback
 * calls methods of the protocol (Lib/asyncio/protocols.py). Facts: Include/funcobject.h (defaults
 * stand two words before the closure in 3.8 - 3.15), Modules/_functoolsmodule.c (partialobject).
 */
#include "read/python/reader/hand_search.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/at_hand.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"

enum {
    MAX_ITEMS = 1 << 16,    /* of one container */
    MAX_HELD_NESTED = 2,    /* containers within containers, in what a frame holds */
    MAX_INSTANCES = 3,      /* self.request.owner.task */
    MAX_HELD_INSTANCES = 2, /* ... in what a frame holds, of a library */
    MAX_OBJECTS = 1024,     /* instances of one search */
    MAX_FUNCTIONS = 256,    /* ... and functions */
    MAX_MET = 4096,         /* other tasks and futures, of all searches */
    MAX_DEPTH = 1000,       /* one within the other, whatever they are */
    DEFAULTS_BEFORE = 16,   /* func_closure - func_defaults */
    KWDEFAULTS_BEFORE = 8,
    PARTIAL_KEYWORDS = 32,
};

/* Where in a container something was found. */
struct place {
    struct lk_hand_search *x;
    unsigned nested, depth;
};

/* There is more than is looked at. */
static void leave_out(struct lk_hand_search *x)
{
    x->out->unknown |= x->calls;
    x->out->cut = true;
}

/* Cells, methods and partials within each other have no end of their own in a hostile target. */
static bool is_too_deep(struct lk_hand_search *x)
{
    const bool deep = x->deep >= MAX_DEPTH;
    x->out->unknown |= deep;
    x->out->cut |= deep;
    return deep;
}

/* ---- functions ------------------------------------------------------------------------ */

/* What is inside of a function is code too: `def stop(): [t.cancel() for t in tasks]`. */
static void add_code(struct lk_py *py, struct lk_hand_search *x, lk_addr code, lk_addr globals,
                     unsigned depth)
{
    size_t n, n_consts = 0;
    if (!lk_map_add(&x->seen, code, 1) || is_too_deep(x))
        return;
    x->deep++;
    lk_addr *names = lk_hand_names_of(py, x, code, &n);
    for (size_t i = 0; names && i < n && lk_hand_spend(x); i++) {
        lk_hand_add_name(py, x, names[i]);
        char name[128];
        lk_addr value = 0;
        if (globals && lk_py_str_raw(py, names[i], name, sizeof name))
            value = lk_py_dict_get(py, globals, name);
        if (!value)
            continue;
        bool before = x->global;
        x->global = true;
        lk_hand_look(py, x, value, 0, depth + 1);
        x->global = before;
    }
    lk_addr *consts =
        lk_py_items(py, lk_py_ptr(py, code + py->layout.co_consts), LK_HAND_MAX_NAMES, &n_consts);
    if (n_consts == LK_HAND_MAX_NAMES)
        leave_out(x);
    for (size_t i = 0; consts && i < n_consts; i++)
        if (lk_py_kind(py, consts[i]) == LK_PYK_CODE)
            add_code(py, x, consts[i], globals, depth);
    x->deep--;
}

static void look_at_code(struct lk_py *py, struct lk_hand_search *x, lk_addr func, unsigned depth)
{
    lk_addr code = lk_py_function_code(py, func);
    const struct lk_pycode *c = code ? lk_py_code(py, code) : NULL;
    if (!c || x->functions++ >= MAX_FUNCTIONS) {
        leave_out(x);
        return;
    }
    bool own = !lk_py_of_stdlib(py, c->code);
    if (own || (x->calls && depth == 0))
        add_code(py, x, code, own && x->calls ? lk_py_ptr(py, func + py->layout.func_globals) : 0,
                 depth);
}

/* What a frame holds is followed into one function: applications are functions within functions. */
static void look_at_function(struct lk_py *py, struct lk_hand_search *x, lk_addr func,
                             unsigned depth)
{
    static const unsigned held_before[] = { 0, KWDEFAULTS_BEFORE, DEFAULTS_BEFORE };
    bool before = x->in_function;
    if (before && !x->calls)
        return;
    x->in_function = true;
    for (size_t i = 0; i < LK_ARRAY_LEN(held_before); i++)
        lk_hand_look(py, x, lk_py_ptr(py, func + py->layout.func_closure - held_before[i]), 0,
                     depth);
    x->in_function = before;
    look_at_code(py, x, func, depth);
}

/* ---- objects -------------------------------------------------------------------------- */

static bool look_at_entry(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    const struct place *e = arg;
    lk_hand_look(py, e->x, key, e->nested, e->depth);
    lk_hand_look(py, e->x, value, e->nested, e->depth);
    return *e->x->out->left > 0;
}

static void look_into_container(struct lk_py *py, struct lk_hand_search *x, lk_addr obj,
                                enum lk_pykind kind, unsigned nested, unsigned depth)
{
    struct place e = { x, nested + 1, depth };
    size_t n = 0;
    if (lk_py_len(py, obj) > MAX_ITEMS) {
        leave_out(x);
        return;
    }
    if (nested >= (x->calls ? LK_HAND_MAX_NESTED : MAX_HELD_NESTED)) {
        x->out->unknown |= x->calls; /* what is held so far in is none of a frame's */
        return;
    }
    if (kind == LK_PYK_DICT) {
        lk_py_dict_each(py, obj, look_at_entry, &e);
        return;
    }
    lk_addr *items = lk_py_items(py, obj, MAX_ITEMS, &n);
    for (size_t i = 0; items && i < n; i++)
        lk_hand_look(py, x, items[i], nested + 1, depth);
}

bool lk_hand_look_at_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct lk_hand_search *x = arg;
    bool before = x->library;
    x->library &= strcmp(name, "self") != 0;
    lk_hand_look(py, x, value, 0, 0);
    x->library = before;
    return true;
}

/* A coroutine that is yet to be run has its arguments at hand. */
static void look_at_coroutine(struct lk_py *py, struct lk_hand_search *x, lk_addr coro)
{
    struct lk_pyf f;
    if (!lk_py_gen_frame(py, coro, &f))
        return;
    lk_py_local_each(py, &f, lk_hand_look_at_local, x);
    if (x->calls)
        add_code(py, x, f.code, f.globals, 0);
}

static void add_instance(struct lk_py *py, struct lk_hand_search *x, lk_addr obj, unsigned depth,
                         bool module)
{
    if (lk_py_known_class(py, obj, NULL) == LK_CLASS_LOOP ||
        depth >=
            (x->calls || lk_hand_is_own_class(py, x, obj) ? MAX_INSTANCES : MAX_HELD_INSTANCES))
        return;
    if (x->instances.n >= MAX_OBJECTS) {
        leave_out(x);
        return;
    }
    lk_vec_add(&x->instances,
               ((struct lk_hand_instance){ obj, depth, 0, module, x->global, false }));
}

void lk_hand_look_at_methods(struct lk_py *py, struct lk_hand_search *x, lk_addr obj,
                             const char *const *names)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    size_t before = x->instances.n;
    bool own = false, library = x->library, methods = x->methods;
    x->library = false;
    x->methods = true;
    for (; ty && *names; names++) {
        lk_addr func = lk_py_type_attr(py, ty, *names);
        if (!func || lk_py_kind(py, func) != LK_PYK_FUNCTION ||
            lk_hand_is_library(py, lk_py_function_code(py, func)))
            continue;
        lk_hand_look(py, x, func, 0, 0);
        own = true;
    }
    if (own)
        add_instance(py, x, obj, 0, false);
    for (size_t i = before; i < x->instances.n; i++)
        x->instances.v[i].own = true;
    x->library = library;
    x->methods = methods;
}

static void look_at_protocol(struct lk_py *py, struct lk_hand_search *x, lk_addr transport)
{
    static const char *const called[] = {
        "connection_lost",
        "data_received",
        "eof_received",
        "buffer_updated",
        "datagram_received",
        "error_received",
        "pause_writing",
        "resume_writing",
        "pipe_data_received",
        "pipe_connection_lost",
        "process_exited",
        "connection_made",
        NULL,
    };
    lk_addr protocol = lk_py_attr(py, transport, "_protocol");
    if (protocol && lk_map_add(&x->seen, protocol, 1))
        lk_hand_look_at_methods(py, x, protocol, called);
}

/* Whoever completes another future has its callbacks called. */
static void note_wanted(struct lk_hand_search *x, lk_addr obj, bool waitable)
{
    if (!lk_map_get(x->out->wanted, obj, NULL)) {
        if (!waitable || x->global)
            return;
        if (x->out->met.n < MAX_MET)
            lk_vec_add(&x->out->met, obj);
        else
            x->out->cut |= !x->calls;
    } else if (x->global)
        lk_map_put(&x->by_global, obj, 1);
    else
        lk_vec_add(&x->out->found, obj);
}

static void look_at_method(struct lk_py *py, struct lk_hand_search *x, lk_addr obj, unsigned depth)
{
    lk_addr func, self;
    if (!lk_py_method(py, obj, &func, &self))
        return;
    /* A method of the program that a library's object is to call. */
    bool before = x->library, own = func && !lk_hand_is_library(py, lk_py_function_code(py, func));
    x->library &= !own;
    lk_hand_look(py, x, self, 0, depth);
    if (func)
        lk_hand_look(py, x, func, 0, depth);
    x->library = before;
}

static void look_at_partial(struct lk_py *py, struct lk_hand_search *x, lk_addr obj, unsigned depth)
{
    lk_hand_look(py, x, lk_py_ptr(py, lk_py_field(py, obj, PARTIAL_KEYWORDS)), 0, depth);
    lk_addr func, args;
    if (!lk_py_partial(py, obj, &func, &args))
        return;
    lk_hand_look(py, x, args, 0, depth);
    lk_hand_look(py, x, func, 0, depth);
}

static void look_by_kind(struct lk_py *py, struct lk_hand_search *x, lk_addr obj, unsigned nested,
                         unsigned depth)
{
    enum lk_pykind kind = lk_py_kind(py, obj);
    switch (kind) {
    case LK_PYK_TUPLE:
    case LK_PYK_LIST:
    case LK_PYK_DICT:
    case LK_PYK_SET:
    case LK_PYK_DEQUE: look_into_container(py, x, obj, kind, nested, depth); break;
    case LK_PYK_CELL: lk_hand_look(py, x, lk_py_cell(py, obj), nested, depth); break;
    case LK_PYK_WEAKREF: lk_hand_look(py, x, lk_py_weakref(py, obj), nested, depth); break;
    case LK_PYK_FUNCTION: look_at_function(py, x, obj, depth); break;
    case LK_PYK_METHOD:
    case LK_PYK_BUILTIN_METHOD: look_at_method(py, x, obj, depth); break;
    case LK_PYK_PARTIAL: look_at_partial(py, x, obj, depth); break;
    case LK_PYK_COROUTINE:
    case LK_PYK_ASYNC_GEN:
    case LK_PYK_GENERATOR: look_at_coroutine(py, x, obj); break;
    case LK_PYK_MODULE:
        if (x->calls)
            add_instance(py, x, obj, depth, true);
        break;
    case LK_PYK_STR: /* getattr(self, name)(): the name of a method as an argument */
        if (nested <= 1 && x->calls && !x->global)
            lk_hand_add_name(py, x, obj);
        break;
    case LK_PYK_OTHER:
        if ((x->calls || x->library) &&
            lk_py_isinstance(py, obj, "asyncio.transports", "BaseTransport"))
            look_at_protocol(py, x, obj);
        if (x->calls ? !x->library || depth == 0 : nested == 0 && !x->library)
            add_instance(py, x, obj, nested ? depth + 1 : depth, false);
        break;
    default: break;
    }
}

void lk_hand_look(struct lk_py *py, struct lk_hand_search *x, lk_addr obj, unsigned nested,
                  unsigned depth)
{
    /* What was seen by way of a global only counts again when it is at hand otherwise. */
    if (!obj || lk_py_is_none(py, obj) || !lk_map_add(&x->seen, obj + x->global, 1) ||
        !lk_hand_spend(x) || is_too_deep(x))
        return;
    x->deep++;
    bool waitable = lk_py_is_waitable(py, obj);
    const enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    note_wanted(x, obj, waitable);
    if (cls == LK_CLASS_GATHER)
        lk_hand_look(py, x, lk_py_attr(py, obj, "_children"), nested, depth);
    else if (cls == LK_CLASS_GREEN_GROUP)
        lk_hand_look(py, x, lk_py_attr(py, obj, "greenlets"), nested, depth);
    else if (!waitable)
        look_by_kind(py, x, obj, nested, depth);
    x->deep--;
}

/*
 * Which of some wanted objects code has at hand. Containers are looked through, functions by their
 * cells and defaults, bound methods and partials by what they bind, weak references followed.
 * Of an instance only attributes count that the code names (co_names), for a server's objects lead
 * to each other without end; a callback's code includes the methods of its object and the functions
 * of the program that it names in turn. What a frame of the program is to do yet it may do in
 * methods that it names, and in the exits of its `with` blocks. A transport's callback calls
 * methods of the protocol (Lib/asyncio/protocols.py). Facts: Include/funcobject.h (defaults stand
 * two words before the closure in 3.8 - 3.15), Modules/_functoolsmodule.c (partialobject),
 * Objects/descrobject.c (propertyobject), funcobject.c (staticmethod, classmethod).
 */
#include "read/python/reader/at_hand.h"

#include <stdlib.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/interpreter/value_stack.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"

enum {
    MAX_ITEMS = 1 << 16,    /* of one container */
    MAX_NESTED = 4,         /* containers within containers */
    MAX_HELD_NESTED = 2,    /* ... in what a frame holds */
    MAX_INSTANCES = 3,      /* self.request.owner.task */
    MAX_HELD_INSTANCES = 2, /* ... in what a frame holds, of a library */
    MAX_OBJECTS = 1024,     /* instances of one search */
    MAX_FUNCTIONS = 256,    /* ... and functions */
    MAX_NAMES = 1024,       /* ... and names */
    MAX_MET = 4096,         /* other tasks and futures, of all searches */
    DEFAULTS_BEFORE = 16,   /* func_closure - func_defaults */
    KWDEFAULTS_BEFORE = 8,
    PARTIAL_KEYWORDS = 32,
    DESCRIPTOR_FUNCTION = 16, /* property.fget, staticmethod and classmethod: the callable */
    MODULE_DICT = 16,
};

/* An instance whose named attributes count. */
struct instance {
    lk_addr obj;
    unsigned depth;
    size_t asked; /* how many names there were when it was asked last */
    bool module, global;
    bool own; /* of the program, though a library calls its methods */
};

struct search {
    struct lk_at_hand_search *out;
    struct lk_map seen;
    struct lk_map names; /* addresses of strings: names in code and keys of dicts are interned */
    LK_VEC(struct instance) instances;
    bool names_end, names_all; /* one of them ends a wait; gives all tasks there are */
    unsigned functions;
    bool calls;   /* methods and functions that are named count as called */
    bool methods; /* ... the methods alone */
    /* the code is of a library: a frame has the attributes of its `self` at hand, a callback those
     * of its object, and not what these lead to */
    bool library;
    bool in_function;        /* a function's cells and defaults are being looked at */
    bool global;             /* ... or what was reached by way of a module's globals */
    struct lk_map by_global; /* wanted objects that were */
};

/* Where in a container something was found. */
struct place {
    struct search *x;
    unsigned nested, depth;
};

static void look(struct lk_py *py, struct search *x, lk_addr obj, unsigned nested, unsigned depth);

static bool spend(struct search *x)
{
    if (*x->out->left == 0) {
        x->out->unknown = true;
        return false;
    }
    --*x->out->left;
    return true;
}

static bool is_library(struct lk_py *py, lk_addr code)
{
    const struct lk_pycode *c = code ? lk_py_code(py, code) : NULL;
    return c && (strstr(c->code->file, "/site-packages/") ||
                 strstr(c->code->file, "/dist-packages/") || lk_py_of_stdlib(py, c->code));
}

static void each_class_attr(struct lk_py *py, const struct lk_pytype *ty,
                            bool (*fn)(struct lk_py *, lk_addr, lk_addr, void *), void *arg)
{
    int64_t n = ty && (ty->flags & LK_TPFLAG_HEAPTYPE) ? lk_py_len(py, ty->mro) : 0;
    for (int64_t i = 0; i < n && i < LK_PY_MAX_MRO; i++) {
        const struct lk_pytype *b = lk_py_type_at(py, lk_py_item(py, ty->mro, (size_t)i));
        if (b && b->dict && (b->flags & LK_TPFLAG_HEAPTYPE))
            lk_py_dict_each(py, b->dict, fn, arg);
    }
}

static bool is_own_method(struct lk_py *py, lk_addr key, lk_addr v, void *arg)
{
    (void)key;
    *(bool *)arg =
        lk_py_kind(py, v) == LK_PYK_FUNCTION && !is_library(py, lk_py_function_code(py, v));
    return !*(bool *)arg;
}

/* The program's own: it, or a class that it derives from, has a method of the program's. */
static bool is_own_class(struct lk_py *py, struct search *x, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    uint64_t was;
    bool own = false;
    if (!ty || lk_map_get(x->out->owned, ty->addr, &was))
        return ty && was;
    each_class_attr(py, ty, is_own_method, &own);
    lk_map_put(x->out->owned, ty->addr, own);
    return own;
}

/* ---- names ------------------------------------------------------------------------------- */

/* Globals are at everybody's hand: they count where the code names what would end a wait. */
static const char *const ends[] = { "cancel", "set_result", "set_exception", "getattr",
                                    "methodcaller" };

static void add_name(struct lk_py *py, struct search *x, lk_addr str)
{
    char name[32];
    if (!lk_map_add(&x->names, str, 1))
        return;
    if (x->names.n > MAX_NAMES) {
        x->out->unknown |= x->calls;
        return;
    }
    if (!x->calls || !lk_py_str_raw(py, str, name, sizeof name))
        return;
    x->names_all |= strcmp(name, "all_tasks") == 0;
    for (size_t i = 0; i < LK_ARRAY_LEN(ends); i++)
        x->names_end |= strcmp(name, ends[i]) == 0;
}

static lk_addr *names_of(struct lk_py *py, struct search *x, lk_addr code, size_t *n)
{
    lk_addr names = lk_py_ptr(py, code + py->layout.co_names);
    *n = 0;
    if (lk_py_kind(py, names) != LK_PYK_TUPLE || lk_py_len(py, names) > MAX_NAMES) {
        x->out->unknown |= x->calls;
        return NULL;
    }
    return lk_py_items(py, names, MAX_NAMES, n);
}

/* ---- functions --------------------------------------------------------------------------- */

/* What is inside of a function is code too: `def stop(): [t.cancel() for t in tasks]`. */
static void add_code(struct lk_py *py, struct search *x, lk_addr code, lk_addr globals,
                     unsigned depth)
{
    size_t n, n_consts = 0;
    if (!lk_map_add(&x->seen, code, 1))
        return;
    lk_addr *names = names_of(py, x, code, &n);
    for (size_t i = 0; names && i < n && spend(x); i++) {
        add_name(py, x, names[i]);
        char name[128];
        lk_addr value = 0;
        if (globals && lk_py_str_raw(py, names[i], name, sizeof name))
            value = lk_py_dict_get(py, globals, name);
        if (!value)
            continue;
        bool before = x->global;
        x->global = true;
        look(py, x, value, 0, depth + 1);
        x->global = before;
    }
    lk_addr *consts =
        lk_py_items(py, lk_py_ptr(py, code + py->layout.co_consts), MAX_NAMES, &n_consts);
    for (size_t i = 0; consts && i < n_consts; i++)
        if (lk_py_kind(py, consts[i]) == LK_PYK_CODE)
            add_code(py, x, consts[i], globals, depth);
}

static void look_at_code(struct lk_py *py, struct search *x, lk_addr func, unsigned depth)
{
    lk_addr code = lk_py_function_code(py, func);
    const struct lk_pycode *c = code ? lk_py_code(py, code) : NULL;
    if (!c || x->functions++ >= MAX_FUNCTIONS) {
        x->out->unknown |= x->calls;
        return;
    }
    bool own = !lk_py_of_stdlib(py, c->code);
    if (own || (x->calls && depth == 0))
        add_code(py, x, code, own && x->calls ? lk_py_ptr(py, func + py->layout.func_globals) : 0,
                 depth);
}

/* What a frame holds is followed into one function: applications are functions within functions. */
static void look_at_function(struct lk_py *py, struct search *x, lk_addr func, unsigned depth)
{
    static const unsigned held_before[] = { 0, KWDEFAULTS_BEFORE, DEFAULTS_BEFORE };
    bool before = x->in_function;
    if (before && !x->calls)
        return;
    x->in_function = true;
    for (size_t i = 0; i < LK_ARRAY_LEN(held_before); i++)
        look(py, x, lk_py_ptr(py, func + py->layout.func_closure - held_before[i]), 0, depth);
    x->in_function = before;
    look_at_code(py, x, func, depth);
}

/* ---- objects ----------------------------------------------------------------------------- */

static bool look_at_entry(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    const struct place *e = arg;
    look(py, e->x, key, e->nested, e->depth);
    look(py, e->x, value, e->nested, e->depth);
    return *e->x->out->left > 0;
}

static void look_into_container(struct lk_py *py, struct search *x, lk_addr obj,
                                enum lk_pykind kind, unsigned nested, unsigned depth)
{
    struct place e = { x, nested + 1, depth };
    size_t n = 0;
    if (nested >= (x->calls ? MAX_NESTED : MAX_HELD_NESTED) || lk_py_len(py, obj) > MAX_ITEMS) {
        x->out->unknown |= x->calls;
        return;
    }
    if (kind == LK_PYK_DICT) {
        lk_py_dict_each(py, obj, look_at_entry, &e);
        return;
    }
    lk_addr *items = lk_py_items(py, obj, MAX_ITEMS, &n);
    for (size_t i = 0; items && i < n; i++)
        look(py, x, items[i], nested + 1, depth);
}

static bool look_at_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct search *x = arg;
    bool before = x->library;
    x->library &= strcmp(name, "self") != 0;
    look(py, x, value, 0, 0);
    x->library = before;
    return true;
}

/* A coroutine that is yet to be run has its arguments at hand. */
static void look_at_coroutine(struct lk_py *py, struct search *x, lk_addr coro)
{
    struct lk_pyf f;
    if (!lk_py_gen_frame(py, coro, &f))
        return;
    lk_py_local_each(py, &f, look_at_local, x);
    if (x->calls)
        add_code(py, x, f.code, f.globals, 0);
}

static void add_instance(struct lk_py *py, struct search *x, lk_addr obj, unsigned depth,
                         bool module)
{
    if (lk_py_known_class(py, obj, NULL) == LK_CLASS_LOOP ||
        depth >= (x->calls || is_own_class(py, x, obj) ? MAX_INSTANCES : MAX_HELD_INSTANCES))
        return;
    if (x->instances.n >= MAX_OBJECTS) {
        x->out->unknown |= x->calls;
        return;
    }
    lk_vec_add(&x->instances, ((struct instance){ obj, depth, 0, module, x->global, false }));
}

/* Methods of the program's own that a library calls. */
static void look_at_methods(struct lk_py *py, struct search *x, lk_addr obj,
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
            is_library(py, lk_py_function_code(py, func)))
            continue;
        look(py, x, func, 0, 0);
        own = true;
    }
    if (own)
        add_instance(py, x, obj, 0, false);
    for (size_t i = before; i < x->instances.n; i++)
        x->instances.v[i].own = true;
    x->library = library;
    x->methods = methods;
}

static void look_at_protocol(struct lk_py *py, struct search *x, lk_addr transport)
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
        look_at_methods(py, x, protocol, called);
}

/* Whoever completes another future has its callbacks called. */
static void note_wanted(struct search *x, lk_addr obj, bool waitable)
{
    if (!lk_map_get(x->out->wanted, obj, NULL)) {
        if (waitable && !x->global && x->out->met.n < MAX_MET)
            lk_vec_add(&x->out->met, obj);
    } else if (x->global)
        lk_map_put(&x->by_global, obj, 1);
    else
        lk_vec_add(&x->out->found, obj);
}

static void look_at_method(struct lk_py *py, struct search *x, lk_addr obj, unsigned depth)
{
    lk_addr func, self;
    if (!lk_py_method(py, obj, &func, &self))
        return;
    /* A method of the program that a library's object is to call. */
    bool before = x->library, own = func && !is_library(py, lk_py_function_code(py, func));
    x->library &= !own;
    look(py, x, self, 0, depth);
    if (func)
        look(py, x, func, 0, depth);
    x->library = before;
}

static void look_at_partial(struct lk_py *py, struct search *x, lk_addr obj, unsigned depth)
{
    look(py, x, lk_py_ptr(py, lk_py_field(py, obj, PARTIAL_KEYWORDS)), 0, depth);
    lk_addr func, args;
    if (!lk_py_partial(py, obj, &func, &args))
        return;
    look(py, x, args, 0, depth);
    look(py, x, func, 0, depth);
}

static void look_by_kind(struct lk_py *py, struct search *x, lk_addr obj, unsigned nested,
                         unsigned depth)
{
    enum lk_pykind kind = lk_py_kind(py, obj);
    switch (kind) {
    case LK_PYK_TUPLE:
    case LK_PYK_LIST:
    case LK_PYK_DICT:
    case LK_PYK_SET:
    case LK_PYK_DEQUE: look_into_container(py, x, obj, kind, nested, depth); break;
    case LK_PYK_CELL: look(py, x, lk_py_cell(py, obj), nested, depth); break;
    case LK_PYK_WEAKREF: look(py, x, lk_py_weakref(py, obj), nested, depth); break;
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
            add_name(py, x, obj);
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

static void look(struct lk_py *py, struct search *x, lk_addr obj, unsigned nested, unsigned depth)
{
    /* What was seen by way of a global only counts again when it is at hand otherwise. */
    if (!obj || lk_py_is_none(py, obj) || !lk_map_add(&x->seen, obj + x->global, 1) || !spend(x))
        return;
    bool waitable = lk_py_is_waitable(py, obj);
    note_wanted(x, obj, waitable);
    if (lk_py_known_class(py, obj, NULL) == LK_CLASS_GATHER)
        look(py, x, lk_py_attr(py, obj, "_children"), nested, depth);
    else if (!waitable)
        look_by_kind(py, x, obj, nested, depth);
}

/* ---- attributes by name ------------------------------------------------------------------ */

struct asked {
    struct search *x;
    struct instance at;
};

static bool look_at_attr(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    const struct asked *a = arg;
    if (lk_map_get(&a->x->names, key, NULL))
        look(py, a->x, value, 0, a->at.depth + 1);
    return spend(a->x);
}

/* A method, or the function behind a property, that the code names; a slot's value. */
static bool look_at_class_attr(struct lk_py *py, lk_addr key, lk_addr v, void *arg)
{
    const struct asked *a = arg;
    char name[128];
    if (!lk_map_get(&a->x->names, key, NULL))
        return spend(a->x);
    const struct lk_pytype *vt = lk_py_type(py, v);
    if (vt && strcmp(vt->name, "member_descriptor") == 0 &&
        lk_py_str_raw(py, key, name, sizeof name)) {
        look(py, a->x, lk_py_attr(py, a->at.obj, name), 0, a->at.depth + 1);
        return spend(a->x);
    }
    if (vt && (strcmp(vt->name, "property") == 0 || strcmp(vt->name, "staticmethod") == 0 ||
               strcmp(vt->name, "classmethod") == 0))
        v = lk_py_ptr(py, lk_py_field(py, v, DESCRIPTOR_FUNCTION));
    if (v && lk_py_kind(py, v) == LK_PYK_FUNCTION &&
        (a->x->calls || (a->x->methods && !is_library(py, lk_py_function_code(py, v)))))
        look(py, a->x, v, 0, a->at.depth);
    return spend(a->x);
}

static bool is_slot(struct lk_py *py, lk_addr key, lk_addr v, void *arg)
{
    const struct lk_pytype *ty = lk_py_type(py, v);
    (void)key;
    *(bool *)arg = ty && strcmp(ty->name, "member_descriptor") == 0;
    return !*(bool *)arg;
}

/* Remembered by class: few have slots, and nothing else of a class matters to a frame. */
static bool has_slots(struct lk_py *py, struct lk_map *known, const struct lk_pytype *ty)
{
    uint64_t was;
    bool slots = false;
    if (!ty || lk_map_get(known, ty->addr, &was))
        return ty && was;
    each_class_attr(py, ty, is_slot, &slots);
    lk_map_put(known, ty->addr, slots);
    return slots;
}

static void ask_instance(struct lk_py *py, struct search *x, size_t index)
{
    struct asked a = { x, x->instances.v[index] };
    if (a.at.asked == x->names.n || !spend(x))
        return;
    x->instances.v[index].asked = x->names.n;
    x->global = a.at.global;
    bool library = x->library, methods = x->methods;
    x->library &= !a.at.own;
    x->methods |= a.at.own;
    if (a.at.module) {
        lk_py_dict_each(py, lk_py_ptr(py, lk_py_field(py, a.at.obj, MODULE_DICT)), look_at_attr,
                        &a);
    } else {
        lk_py_attr_each(py, a.at.obj, look_at_attr, &a);
        const struct lk_pytype *ty = lk_py_type(py, a.at.obj);
        if (x->calls || (x->methods && is_own_class(py, x, a.at.obj)) ||
            has_slots(py, x->out->slotted, ty))
            each_class_attr(py, ty, look_at_class_attr, &a);
    }
    x->global = false;
    x->library = library;
    x->methods = methods;
}

/* Names lead to functions and objects, those to names: until nothing is new. */
static void follow_names(struct lk_py *py, struct search *x)
{
    bool more = true;
    while (more && *x->out->left) {
        more = false;
        for (size_t i = 0; i < x->instances.n; i++) {
            more |= x->instances.v[i].asked != x->names.n;
            ask_instance(py, x, i);
        }
    }
}

static void end_search(struct search *x)
{
    lk_map_deinit(&x->seen);
    lk_map_deinit(&x->names);
    lk_map_deinit(&x->by_global);
    lk_free(x->instances.v);
}

/* ---- frames and callbacks ---------------------------------------------------------------- */

/* What the exit of a `with` block will do. */
static void look_at_manager(struct lk_py *py, struct search *x, lk_addr manager)
{
    static const char *const exits[] = { "__exit__", "__aexit__", NULL };
    switch (lk_py_known_class(py, manager, NULL)) {
    case LK_CLASS_GENERATOR_CM: look(py, x, lk_py_attr(py, manager, "gen"), 0, 0); break;
    case LK_CLASS_EXIT_STACK: look(py, x, lk_py_attr(py, manager, "_exit_callbacks"), 0, 0); break;
    case LK_CLASS_OTHER: look_at_methods(py, x, manager, exits); break;
    default: break;
    }
}

void lk_py_at_hand_of_frame(struct lk_py *py, const struct lk_pyf *f, struct lk_at_hand_search *out)
{
    enum { MAX_MANAGERS = 32 };
    struct search x = { .out = out };
    lk_addr held[MAX_MANAGERS];
    size_t n;
    lk_addr *names = names_of(py, &x, f->code, &n);
    x.library = is_library(py, f->code);
    x.methods = out->methods && !x.library;
    for (size_t i = 0; names && i < n; i++)
        add_name(py, &x, names[i]);
    lk_py_local_each(py, f, look_at_local, &x);
    n = lk_py_held_managers(py, f, held, MAX_MANAGERS);
    for (size_t i = 0; i < n; i++)
        look_at_manager(py, &x, held[i]);
    follow_names(py, &x);
    end_search(&x);
}

/* Objects of C that a callback is a method of: of these it is known what they do. */
static bool is_plain_object(struct lk_py *py, lk_addr self)
{
    switch (lk_py_kind(py, self)) {
    case LK_PYK_TUPLE:
    case LK_PYK_LIST:
    case LK_PYK_DICT:
    case LK_PYK_SET:
    case LK_PYK_DEQUE:
    case LK_PYK_SIMPLEQUEUE:
    case LK_PYK_LOCK:
    case LK_PYK_RLOCK:
    case LK_PYK_MODULE: /* of builtin functions */
    case LK_PYK_STR:
    case LK_PYK_COROUTINE:
    case LK_PYK_GENERATOR: return true;
    default: break;
    }
    const struct lk_pytype *ty = lk_py_type(py, self);
    return (ty && strcmp(ty->name, "Context") == 0) || lk_py_is_waitable(py, self);
}

/* Stopping a loop lets the code go on that runs it; of what C code does nothing is known. */
static bool is_beyond(struct lk_py *py, lk_addr callback, lk_addr self, lk_addr func)
{
    const char *name = lk_py_callable_name(py, callback);
    if (lk_py_known_class(py, self, NULL) == LK_CLASS_LOOP)
        return !*name || lk_ends_with(name, "stop") || lk_ends_with(name, "close");
    if (func)
        return lk_py_kind(py, func) != LK_PYK_FUNCTION;
    return !is_plain_object(py, self);
}

static void look_at_callable(struct lk_py *py, struct search *x, lk_addr callback)
{
    lk_addr func = 0, self = 0, args = 0;
    for (int i = 0; i < MAX_NESTED && lk_py_partial(py, callback, &func, &args); i++) {
        look(py, x, callback, 0, 0);
        callback = func;
    }
    look(py, x, callback, 0, 0);
    if (lk_py_method(py, callback, &func, &self)) {
        x->out->unknown |= is_beyond(py, callback, self, func);
        return;
    }
    enum lk_pykind kind = lk_py_kind(py, callback);
    if (kind == LK_PYK_FUNCTION || kind == LK_PYK_BUILTIN_METHOD)
        return; /* a builtin function without a module */
    const struct lk_pytype *ty = lk_py_type(py, callback);
    lk_addr call = kind == LK_PYK_OTHER && ty ? lk_py_type_attr(py, ty, "__call__") : 0;
    if (call && lk_py_kind(py, call) == LK_PYK_FUNCTION)
        look(py, x, call, 0, 0);
    else
        x->out->unknown = true;
}

void lk_py_at_hand_of_callback(struct lk_py *py, lk_addr callback, lk_addr args,
                               struct lk_at_hand_search *out)
{
    struct search x = { .out = out, .calls = true };

    lk_addr func, self;
    x.library = lk_py_method(py, callback, &func, &self) && func &&
                is_library(py, lk_py_function_code(py, func));
    look(py, &x, args, 0, 0);
    look_at_callable(py, &x, callback);
    follow_names(py, &x);
    if (x.names_end) {
        out->unknown |= x.names_all;
        for (size_t i = 0; i < x.by_global.cap; i++)
            if (x.by_global.used[i])
                lk_vec_add(&out->found, x.by_global.keys[i]);
    }
    end_search(&x);
}

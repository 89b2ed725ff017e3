/*
 * Which of some wanted objects code has at hand. Of an instance only attributes count that the code
 * names (co_names), for a server's objects lead to each other without end; a callback's code
 * includes the methods of its object and the functions of the program that it names in turn. What a
 * frame of the program is to do yet it may do in methods that it names, and in the exits of its
 * `with` blocks. Facts: Objects/descrobject.c (propertyobject), funcobject.c (staticmethod,
 * classmethod).
 */
#include "read/python/reader/at_hand.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/interpreter/value_stack.h"
#include "read/python/reader/hand_search.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"

enum {
    MODULE_DICT = 16,
};

/* ---- attributes by name ------------------------------------------------------------------ */

struct asked {
    struct lk_hand_search *x;
    struct lk_hand_instance at;
};

static bool look_at_attr(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    const struct asked *a = arg;
    if (lk_map_get(&a->x->names, key, NULL))
        lk_hand_look(py, a->x, value, 0, a->at.depth + 1);
    return lk_hand_spend(a->x);
}

/* A method, or the function behind a property, that the code names; a slot's value. */
static bool look_at_class_attr(struct lk_py *py, lk_addr key, lk_addr v, void *arg)
{
    const struct asked *a = arg;
    if (!lk_map_get(&a->x->names, key, NULL))
        return lk_hand_spend(a->x);
    if (lk_py_is_slot(py, v)) {
        lk_hand_look(py, a->x, lk_py_slot_value(py, a->at.obj, key, v), 0, a->at.depth + 1);
        return lk_hand_spend(a->x);
    }
    v = lk_py_described(py, v);
    if (v && lk_py_kind(py, v) == LK_PYK_FUNCTION &&
        (a->x->calls || (a->x->methods && !lk_hand_is_library(py, lk_py_function_code(py, v)))))
        lk_hand_look(py, a->x, v, 0, a->at.depth);
    return lk_hand_spend(a->x);
}

static bool is_slot(struct lk_py *py, lk_addr key, lk_addr v, void *arg)
{
    (void)key;
    *(bool *)arg = lk_py_is_slot(py, v);
    return !*(bool *)arg;
}

/* Remembered by class: few have slots, and nothing else of a class matters to a frame. */
static bool has_slots(struct lk_py *py, struct lk_map *known, const struct lk_pytype *ty)
{
    uint64_t was;
    bool slots = false;
    if (!ty || lk_map_get(known, ty->addr, &was))
        return ty && was;
    lk_hand_each_class_attr(py, ty, is_slot, &slots);
    lk_map_put(known, ty->addr, slots);
    return slots;
}

static void ask_instance(struct lk_py *py, struct lk_hand_search *x, size_t index)
{
    struct asked a = { x, x->instances.v[index] };
    if (a.at.asked == x->names.n || !lk_hand_spend(x))
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
        if (x->calls || (x->methods && lk_hand_is_own_class(py, x, a.at.obj)) ||
            has_slots(py, x->out->slotted, ty))
            lk_hand_each_class_attr(py, ty, look_at_class_attr, &a);
    }
    x->global = false;
    x->library = library;
    x->methods = methods;
}

/* Names lead to functions and objects, those to names: until nothing is new. */
static void follow_names(struct lk_py *py, struct lk_hand_search *x)
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

static void end_search(struct lk_hand_search *x)
{
    lk_map_deinit(&x->seen);
    lk_map_deinit(&x->names);
    lk_map_deinit(&x->by_global);
    lk_free(x->instances.v);
}

/* ---- frames and callbacks ---------------------------------------------------------------- */

/* What the exit of a `with` block will do. */
static void look_at_manager(struct lk_py *py, struct lk_hand_search *x, lk_addr manager)
{
    static const char *const exits[] = { "__exit__", "__aexit__", NULL };
    switch (lk_py_known_class(py, manager, NULL)) {
    case LK_CLASS_GENERATOR_CM: lk_hand_look(py, x, lk_py_attr(py, manager, "gen"), 0, 0); break;
    case LK_CLASS_EXIT_STACK:
        lk_hand_look(py, x, lk_py_attr(py, manager, "_exit_callbacks"), 0, 0);
        break;
    case LK_CLASS_OTHER: lk_hand_look_at_methods(py, x, manager, exits); break;
    default: break;
    }
}

void lk_py_at_hand_of_frame(struct lk_py *py, const struct lk_pyf *f, struct lk_at_hand_search *out)
{
    enum { MAX_MANAGERS = 32 };
    struct lk_hand_search x = { .out = out };
    lk_addr held[MAX_MANAGERS];
    size_t n;
    lk_addr *names = lk_hand_names_of(py, &x, f->code, &n);
    x.library = lk_hand_is_library(py, f->code);
    x.methods = out->methods && !x.library;
    for (size_t i = 0; names && i < n; i++)
        lk_hand_add_name(py, &x, names[i]);
    lk_py_local_each(py, f, lk_hand_look_at_local, &x);
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

static void look_at_callable(struct lk_py *py, struct lk_hand_search *x, lk_addr callback)
{
    lk_addr func = 0, self = 0, args = 0;
    for (int i = 0; i < LK_HAND_MAX_NESTED && lk_py_partial(py, callback, &func, &args); i++) {
        lk_hand_look(py, x, callback, 0, 0);
        callback = func;
    }
    lk_hand_look(py, x, callback, 0, 0);
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
        lk_hand_look(py, x, call, 0, 0);
    else
        x->out->unknown = true;
}

/* set.discard, as task.add_done_callback(tasks.discard) has it: puts in or takes out, and does
 * nothing to what it holds. */
static bool is_of_container(struct lk_py *py, lk_addr self)
{
    const enum lk_pykind kind = lk_py_kind(py, self);
    return kind == LK_PYK_SET || kind == LK_PYK_DICT || kind == LK_PYK_LIST || kind == LK_PYK_DEQUE;
}

void lk_py_at_hand_of_callback(struct lk_py *py, lk_addr callback, lk_addr args,
                               struct lk_at_hand_search *out)
{
    struct lk_hand_search x = { .out = out, .calls = true };

    lk_addr func, self;
    const bool method = lk_py_method(py, callback, &func, &self);
    if (method && !func && is_of_container(py, self))
        return;
    x.library = method && func && lk_hand_is_library(py, lk_py_function_code(py, func));
    lk_hand_look(py, &x, args, 0, 0);
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

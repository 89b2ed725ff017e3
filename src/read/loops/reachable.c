/*
 * Loops in reach of the program: locals of live frames, attributes of the objects they work on,
 * globals of user modules, what get_event_loop() gives each thread. One level deep; completeness is
 * the heap walk's job (heap_search.c).
 */
#include "read/loops/reachable.h"

#include <stdlib.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/class_table.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "util/text.h"

enum {
    MAX_MODULES = 20000,
    MAX_GLOBALS = 5000,    /* of one module */
    MAX_CONTAINER = 256,   /* items of a container or attributes of an instance */
    MAX_SEARCHED = 200000, /* containers and instances in all */
    OBJ_FIRST = 16,        /* first field after PyObject_HEAD */
    LOCAL_FIELDS = 8,      /* of a threading.local that are looked at */
    MODULE_HEAD = 64,
    DICT_HEAD = 48,
    DICT_KEYS = 32,
    KEYS_HEAD = 512, /* what is read of each module first */
};
#define TPFLAG_HEAPTYPE (UINT64_C(1) << 9)

/* ---- loops in reach: locals, attributes, module globals ------------------------------- */

struct search {
    enum lk_found_by found_by;
    const char *module; /* NULL in frames */
    const char *name;   /* of the global that leads there */
    const char *owner;  /* class of the instance whose attributes these are; NULL none */
    lk_addr key;        /* of the entry that is looked at, of a dict or of attributes; 0 none */
    unsigned depth;
    unsigned left;
};

static void search_value(struct lk_py *py, lk_addr value, struct search *w);

/* The first place that is found is its name; a global of a module is a better one. */
static void note_place(struct lk_py *py, lk_addr value, const struct search *w)
{
    struct lk_reader *a = lk_reader(py);
    struct lk_arena *arena = py->s->arena;
    const bool global = w->module && w->depth == 0;
    uint64_t known;
    if ((!w->module && !w->owner) ||
        (lk_map_get(&a->places, value, &known) &&
         (!global || !((const struct lk_place *)(uintptr_t)known)->shared)))
        return;
    const char *attr = NULL;
    if (w->owner && w->key) { /* the names of attributes decide nothing */
        lk_process_extra(py->t);
        attr = lk_py_str(py, w->key);
        lk_process_extra_end(py->t);
    }
    struct lk_place *p = lk_arena_alloc(arena, sizeof *p);
    p->shared = !w->module || (!global && !attr);
    if (w->module)
        p->name = lk_arena_printf(arena, "%s.%s%s%s", w->module, w->name,
                                  global ? ""
                                  : attr ? "."
                                         : "[...]",
                                  attr ? attr : "");
    else
        p->name = attr ? lk_arena_printf(arena, "%s.%s", w->owner, attr) : NULL;
    if (p->name)
        lk_map_put(&a->places, value, (uint64_t)(uintptr_t)p);
}

static bool search_entry(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct search *w = arg;
    if (w->left-- == 0)
        return false;
    w->key = 0;
    search_value(py, key, w);
    w->key = key;
    search_value(py, value, w);
    return true;
}

static bool is_container(enum lk_pykind k)
{
    return k == LK_PYK_LIST || k == LK_PYK_TUPLE || k == LK_PYK_SET || k == LK_PYK_DEQUE;
}

static void search_inside(struct lk_py *py, lk_addr value, const struct lk_pytype *ty,
                          struct search *w)
{
    struct lk_reader *a = lk_reader(py);
    struct search in = { .found_by = w->found_by,
                         .module = w->module,
                         .name = w->name,
                         .depth = w->depth + 1,
                         .left = MAX_CONTAINER };

    if (a->visited.n >= MAX_SEARCHED)
        return;
    if (ty->kind == LK_PYK_DICT) {
        if (lk_map_add(&a->visited, value, 1))
            lk_py_dict_each(py, value, search_entry, &in);
    } else if (is_container(ty->kind)) {
        size_t n;
        if (!lk_map_add(&a->visited, value, 1))
            return;
        lk_addr *items = lk_py_items(py, value, MAX_CONTAINER, &n);
        for (size_t i = 0; i < n; i++)
            search_value(py, items[i], &in);
    } else if (ty->kind == LK_PYK_OTHER && (ty->flags & TPFLAG_HEAPTYPE) &&
               lk_map_add(&a->visited, value, 1)) {
        in.owner = lk_last_part(ty->name);
        lk_py_attr_each(py, value, search_entry, &in);
    }
}

static void search_value(struct lk_py *py, lk_addr value, struct search *w)
{
    const struct lk_pytype *ty = lk_py_type(py, value);
    size_t row = ty ? lk_py_class_row(py, ty) : 0;

    if (!ty)
        return;
    enum lk_known_class cls = row ? lk_class_rows[row - 1].cls : LK_CLASS_OTHER;
    if (cls == LK_CLASS_LOOP) {
        struct lk_ref ref = lk_py_loop(py, value, w->found_by);
        struct lk_loop *o = lk_loop_at(py->s, ref);
        o->reachable = LK_YES;
        if (w->module && !o->origin)
            o->origin = lk_arena_printf(py->s->arena, "%s.%s", w->module, w->name);
        return;
    }
    if (cls == LK_CLASS_POOL) {
        lk_py_executor(py, value);
        return;
    }
    if (lk_class_synchronizes(cls))
        note_place(py, value, w);
    if (w->depth == 0 && cls == LK_CLASS_OTHER)
        search_inside(py, value, ty, w);
}

static bool search_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct search *w = arg;
    /* Of other locals only the value itself counts: one level deep are those of self. */
    w->depth = strcmp(name, "self") == 0 ? 0 : 1;
    search_value(py, value, w);
    return true;
}

static void search_frames(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        struct search w = { .found_by = LK_FOUND_FRAME };
        for (size_t j = 0; frames && j < frames->n; j++)
            lk_py_local_each(py, &frames->v[j], search_local, &w);
    }
}

static bool search_global(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct search *w = arg;
    const struct lk_pytype *ty = lk_py_type(py, value);
    if (w->left-- == 0)
        return false;
    if (!ty || ty->kind == LK_PYK_MODULE || ty->kind == LK_PYK_FUNCTION ||
        ty->kind == LK_PYK_TYPE || ty->kind == LK_PYK_STR)
        return true;
    /* __builtins__, __spec__, __loader__ ... are no user's data */
    char name[128];
    if (!lk_py_str_raw(py, key, name, sizeof name) || strncmp(name, "__", 2) == 0)
        return true;
    w->name = lk_py_str(py, key);
    search_value(py, value, w);
    return true;
}

static bool user_file(struct lk_py *py, const char *file)
{
    return *file && file[0] != '<' && !lk_py_is_library(py, file);
}

struct module {
    lk_addr key, module, dict;
};
struct modules {
    LK_VEC(struct module) list;
};

static bool list_module(struct lk_py *py, lk_addr key, lk_addr module, void *arg)
{
    struct modules *m = arg;
    (void)py;
    lk_vec_add(&m->list, ((struct module){ key, module, 0 }));
    return m->list.n < MAX_MODULES;
}

/* Brings in what finding each module's `__file__` touches: a few calls instead of three a module.
 */
static void prefetch_modules(struct lk_py *py, struct modules *m)
{
    lk_addr *at = lk_xcalloc(m->list.n + 1, sizeof *at);
    size_t n = m->list.n, k = 0;

    for (size_t i = 0; i < n; i++)
        at[i] = m->list.v[i].module;
    lk_prefetch(py->t, at, n, MODULE_HEAD);
    for (size_t i = 0; i < n; i++) {
        m->list.v[i].dict = lk_py_ptr(py, lk_py_field(py, m->list.v[i].module, OBJ_FIRST));
        if (m->list.v[i].dict)
            at[k++] = m->list.v[i].dict;
    }
    lk_prefetch(py->t, at, k, DICT_HEAD);
    n = k;
    k = 0;
    for (size_t i = 0; i < n; i++)
        if ((at[k] = lk_py_ptr(py, lk_py_field(py, at[i], DICT_KEYS))) != 0)
            k++;
    lk_prefetch(py->t, at, k, KEYS_HEAD);
    lk_free(at);
}

static bool user_module(struct lk_py *py, const struct module *m)
{
    char file[LK_PY_MAX_STR];
    lk_addr path = lk_py_dict_get(py, m->dict, "__file__");
    if (!path || !lk_py_str_raw(py, path, file, sizeof file))
        /* python -c and embedded programs have one without a file */
        return lk_py_str_eq(py, m->key, "__main__");
    return user_file(py, file);
}

static void search_modules(struct lk_py *py)
{
    struct modules m = { 0 };

    for (size_t i = 0; i < py->interpreters.n; i++)
        if (py->interpreters.v[i].modules)
            lk_py_dict_each(py, py->interpreters.v[i].modules, list_module, &m);
    prefetch_modules(py, &m);
    for (size_t i = 0; i < m.list.n; i++) {
        if (lk_py_kind(py, m.list.v[i].module) != LK_PYK_MODULE || !m.list.v[i].dict ||
            !user_module(py, &m.list.v[i]))
            continue;
        struct search w = { .found_by = LK_FOUND_MODULE,
                            .module = lk_py_str(py, m.list.v[i].key),
                            .left = MAX_GLOBALS };
        lk_py_dict_each(py, m.list.v[i].dict, search_global, &w);
    }
    lk_free(m.list.v);
}

/* ---- the policy's loops: what get_event_loop() gives each thread ------------------------ */

static bool policy_entry(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    (void)key;
    unsigned *left = arg;
    if ((*left)-- == 0)
        return false;
    if (lk_py_kind(py, value) != LK_PYK_DICT)
        return true;
    /* In a live thread's hands: its entry goes when it ends. */
    struct lk_loop *o =
        lk_loop_at(py->s, lk_py_loop(py, lk_py_dict_get(py, value, "_loop"), LK_FOUND_FRAME));
    if (o)
        o->reachable = LK_YES;
    return true;
}

/*
 * The policy keeps each thread's loop in a threading.local: a C object (Modules/_threadmodule.c
 * localobject) with, among its first fields, one dict whose values are the threads' own dicts.
 */
static void read_policy(struct lk_py *py, size_t interpreter)
{
    lk_addr policy = lk_py_module_attr_in(py, interpreter, "asyncio.events", "_event_loop_policy");
    if (!policy || lk_py_is_none(py, policy))
        return;
    lk_addr local = lk_py_attr(py, policy, "_local");
    for (unsigned i = 0; local && i < LOCAL_FIELDS; i++) {
        lk_addr field = lk_py_ptr(py, lk_py_field(py, local, OBJ_FIRST + i * 8));
        unsigned left = LK_PY_MAX_THREADS;
        if (field && lk_py_kind(py, field) == LK_PYK_DICT)
            lk_py_dict_each(py, field, policy_entry, &left);
    }
}

void lk_py_search_reachable(struct lk_py *py)
{
    for (size_t i = 0; i < py->interpreters.n; i++)
        read_policy(py, i);
    search_frames(py);
    search_modules(py);
}

void lk_py_name_locks(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->locks.n; i++) {
        struct lk_lock *l = &py->s->locks.v[i];
        uint64_t place;
        if (l->name || !lk_map_get(&lk_reader(py)->places, l->addr, &place))
            continue;
        l->name = ((const struct lk_place *)(uintptr_t)place)->name;
        l->shared_name = ((const struct lk_place *)(uintptr_t)place)->shared;
    }
}

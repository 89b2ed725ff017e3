/*
 * Done-callbacks of tasks and futures: which future each of them completes, and the reverse index,
 * from a future to those whose callbacks complete it.
 */
#include "read/loops/asyncio/callback.h"

#include "read/loops/asyncio/frame_rows.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"

enum {
    MAX_CALLBACKS = 1 << 20, /* of one future */
    MAX_CELLS = 8,           /* of a hand-written callback's closure or arguments */
};

static const struct lk_callback_row *row_of(struct lk_py *py, lk_addr func)
{
    char qualname[128];
    lk_addr name = lk_py_kind(py, func) == LK_PYK_FUNCTION
                       ? lk_py_ptr(py, func + py->layout.func_qualname)
                       : 0;
    if (!name || !lk_py_str_raw(py, name, qualname, sizeof qualname))
        return NULL;
    for (size_t i = 0; i < lk_n_callback_rows; i++) {
        if (strcmp(lk_callback_rows[i].qualname, qualname) != 0)
            continue;
        const struct lk_pycode *c = lk_py_code(py, lk_py_function_code(py, func));
        return c && lk_ends_with(c->code->file, lk_callback_rows[i].file) ? &lk_callback_rows[i]
                                                                          : NULL;
    }
    return NULL;
}

/* self.set_result, self.set_exception of a future: whoever calls it completes it. */
static void bound_to_future(struct lk_py *py, lk_addr callback, lk_addr self,
                            struct lk_aio_callback *c)
{
    const char *name = lk_py_callable_name(py, callback);
    bool sets = lk_ends_with(name, "set_result") || lk_ends_with(name, "set_exception");
    enum lk_known_class cls = lk_py_known_class(py, self, NULL);
    if (!sets || cls == LK_CLASS_TASK || cls == LK_CLASS_PYTASK || !lk_py_is_waitable(py, self))
        return;
    c->does = LK_CB_COMPLETES;
    c->target = self;
}

static void by_row(struct lk_py *py, const struct lk_callback_row *row, lk_addr func, lk_addr self,
                   lk_addr args, struct lk_aio_callback *c)
{
    c->known = true;
    c->does = row->does;
    c->ends_here = row->ends_here;
    c->origin = row->origin;
    if (!row->var)
        return;
    if (strcmp(row->var, "0") == 0) {
        c->first_arg = args == 0;
        c->target = args ? lk_py_item(py, args, 0) : 0;
    } else if (self) {
        c->target = lk_py_attr(py, self, row->var);
    } else {
        c->target = lk_py_closure(py, func, row->var);
    }
    /* asyncio.wait(): how many are needed is its argument. */
    lk_addr needed = self ? 0 : lk_py_closure(py, func, "return_when");
    if (needed && c->does == LK_CB_COMPLETES_WHEN_ALL && !lk_py_str_eq(py, needed, "ALL_COMPLETED"))
        c->does = LK_CB_COMPLETES;
    /* gather(return_exceptions=True) waits for all of them, whatever becomes of one. */
    lk_addr kept = self ? 0 : lk_py_closure(py, func, "return_exceptions");
    if (kept && c->target && lk_py_bool(py, kept) == LK_YES)
        lk_map_put(&lk_reader(py)->gathers_failed, c->target, 1);
    if (c->target && !lk_py_is_waitable(py, c->target))
        c->target = 0;
    if (!c->target && !c->first_arg)
        c->does = LK_CB_NOTHING;
}

static bool is_bare_future(struct lk_py *py, lk_addr obj)
{
    switch (obj ? lk_py_known_class(py, obj, NULL) : LK_CLASS_OTHER) {
    case LK_CLASS_FUTURE:
    case LK_CLASS_PYFUTURE:
    case LK_CLASS_CFUTURE: return true;
    default: return false;
    }
}

/* Notes the futures among some items: cells of a closure, or arguments. */
static void note_held(struct lk_py *py, lk_addr tuple, struct lk_aio_callback *c)
{
    size_t n = 0;
    lk_addr *items = tuple ? lk_py_items(py, tuple, MAX_CELLS, &n) : NULL;

    for (size_t i = 0; items && i < n; i++) {
        lk_addr obj = lk_py_kind(py, items[i]) == LK_PYK_CELL ? lk_py_cell(py, items[i]) : items[i];
        if (!is_bare_future(py, obj))
            continue;
        if (!c->held)
            c->held = lk_arena_array(py->s->arena, (size_t)MAX_CELLS * 2, sizeof *c->held);
        c->held[c->n_held++] = obj;
    }
}

/* It calls off what is still to come, and hands nothing on. */
static bool only_cancels(struct lk_py *py, lk_addr func)
{
    lk_addr code = lk_py_function_code(py, func);
    const struct lk_pycode *c = code ? lk_py_code(py, code) : NULL;
    return c && c->code->mentions_cancel && !c->code->mentions_set;
}

/* A callback of the program's own that has futures at hand, in its closure or in a partial's
 * arguments, may complete each of them: asyncio itself relays like that, so programs do. */
static void by_hand(struct lk_py *py, lk_addr func, lk_addr args, struct lk_aio_callback *c)
{
    if (only_cancels(py, func))
        return;
    if (lk_py_kind(py, func) == LK_PYK_FUNCTION)
        note_held(py, lk_py_ptr(py, func + py->layout.func_closure), c);
    note_held(py, args, c);
    if (c->n_held)
        c->does = LK_CB_MAY_COMPLETE;
}

/* Semaphore.release itself, or code of the program's own that names it. */
static bool may_release(struct lk_py *py, lk_addr func, lk_addr self)
{
    enum lk_known_class cls = self ? lk_py_known_class(py, self, NULL) : LK_CLASS_OTHER;
    lk_addr code = func ? lk_py_function_code(py, func) : 0;
    const struct lk_pycode *c = code ? lk_py_code(py, code) : NULL;
    return cls == LK_CLASS_AIO_SEMAPHORE || cls == LK_CLASS_SEMAPHORE ||
           (c && c->code->mentions_release);
}

/* What a callback calls in the end. */
static lk_addr handed_on(struct lk_py *py, lk_addr callback)
{
    enum { MOST = 4 };
    for (int i = 0; i < MOST; i++) {
        const struct lk_callback_row *row = row_of(py, callback);
        lk_addr next =
            row && row->does == LK_CB_HANDS_ON ? lk_py_closure(py, callback, row->var) : 0;
        if (!next)
            break;
        callback = next;
    }
    return callback;
}

static void look_at_callback(struct lk_py *py, lk_addr callback, struct lk_aio_callback *c)
{
    lk_addr func = callback = handed_on(py, callback), self = 0, args = 0;

    if (lk_py_partial(py, callback, &func, &args))
        callback = func;
    bool method = lk_py_method(py, callback, &func, &self);
    c->releases = may_release(py, func, self);
    if (method) {
        bound_to_future(py, callback, self, c);
        if (c->target || !func)
            return;
    }
    const struct lk_callback_row *row = row_of(py, func);
    if (row)
        by_row(py, row, func, self, args, c);
    else
        by_hand(py, func, args, c);
}

const struct lk_aio_callback *lk_aio_callback(struct lk_py *py, lk_addr callback)
{
    static const struct lk_aio_callback wakeup = { .known = true };
    struct lk_reader *a = lk_reader(py);
    uint64_t known;

    /* By far most callbacks are a waiting task's own wake-up: each is an object of its own. */
    enum lk_pykind kind = lk_py_kind(py, callback);
    if (kind == LK_PYK_TASKWAKEUP || kind == LK_PYK_TASKSTEP)
        return &wakeup;
    if (kind == LK_PYK_BUILTIN_METHOD) {
        lk_addr func, self;
        if (lk_py_method(py, callback, &func, &self) &&
            lk_py_known_class(py, self, NULL) == LK_CLASS_TASK)
            return &wakeup;
    }
    if (lk_map_get(&a->callbacks, callback, &known))
        return (const struct lk_aio_callback *)(uintptr_t)known;
    struct lk_aio_callback *c = lk_arena_alloc(py->s->arena, sizeof *c);
    lk_map_put(&a->callbacks, callback, (uintptr_t)c);
    look_at_callback(py, callback, c);
    return c;
}

static struct lk_aio_sources *sources_in(struct lk_reader *a, struct lk_map *map, lk_addr target,
                                         bool make)
{
    uint64_t i;
    if (lk_map_get(map, target, &i))
        return &a->source_lists.v[i];
    if (!make)
        return NULL;
    lk_map_put(map, target, a->source_lists.n);
    return lk_vec_push(&a->source_lists);
}

struct lk_aio_sources *lk_aio_sources_of(struct lk_reader *a, lk_addr target, bool make)
{
    return sources_in(a, &a->sources, target, make);
}

const struct lk_aio_sources *lk_aio_sources_by_hand(struct lk_reader *a, lk_addr target)
{
    return sources_in(a, &a->may_complete, target, false);
}

void lk_aio_unqueue(struct lk_reader *a, lk_addr target)
{
    struct lk_map *maps[] = { &a->sources, &a->may_complete };
    for (size_t i = 0; i < LK_ARRAY_LEN(maps); i++) {
        struct lk_aio_sources *s = sources_in(a, maps[i], target, false);
        if (s)
            s->queued = false;
    }
}

/* Adds a source. What a known future's callback completes is of interest too, whoever waits for it:
 * a chain is followed from the work item up as well as from the waiter down. It is read by the
 * driver, never from here: chains may be long. */
static void add_source(struct lk_reader *a, struct lk_aio_sources *s, lk_addr source,
                       lk_addr target)
{
    lk_vec_add(s, source);
    if (s->queued)
        return;
    s->queued = true;
    lk_vec_add(&a->relays_todo, target);
}

static void index_by_hand(struct lk_reader *a, lk_addr obj, const struct lk_aio_callback *c)
{
    for (size_t i = 0; i < c->n_held; i++)
        if (c->held[i] != obj) {
            struct lk_aio_sources *s = sources_in(a, &a->may_complete, c->held[i], true);
            if (s->n < LK_AIO_MAX_BY_HAND)
                add_source(a, s, obj, c->held[i]);
        }
}

static void index_callback(struct lk_py *py, lk_addr obj, lk_addr callback)
{
    struct lk_reader *a = lk_reader(py);
    const struct lk_aio_callback *c = lk_aio_callback(py, callback);

    if (c->releases)
        lk_vec_add(&a->release_callbacks, ((struct lk_release_callback){ obj, callback }));
    if (c->does == LK_CB_MAY_COMPLETE)
        index_by_hand(a, obj, c);
    if (c->does == LK_CB_NOTHING || !c->target || c->target == obj)
        return;
    if (c->does == LK_CB_FOLLOWS) {
        lk_map_put(&a->follows, obj, c->target);
        return;
    }
    struct lk_aio_sources *s = lk_aio_sources_of(a, c->target, true);
    s->all = c->does == LK_CB_COMPLETES_WHEN_ALL;
    s->known = c->known;
    if (c->origin)
        s->origin = c->origin;
    if (c->ends_here)
        lk_vec_add(s, obj); /* read when the task that awaits it is */
    else
        add_source(a, s, obj, c->target);
}

void lk_aio_index_callbacks(struct lk_py *py, lk_addr obj, const struct lk_aio_fut *f)
{
    size_t n = 0;

    if (f->callback0)
        index_callback(py, obj, f->callback0);
    if (!f->callbacks || lk_py_len(py, f->callbacks) <= 0)
        return;
    lk_addr *items = lk_py_items(py, f->callbacks, MAX_CALLBACKS, &n);
    bool pairs = f->cls != LK_CLASS_CFUTURE; /* asyncio keeps (callback, context) */
    for (size_t i = 0; i < n; i++) {
        lk_addr callback = pairs && lk_py_kind(py, items[i]) == LK_PYK_TUPLE
                               ? lk_py_item(py, items[i], 0)
                               : items[i];
        if (callback)
            index_callback(py, obj, callback);
    }
}

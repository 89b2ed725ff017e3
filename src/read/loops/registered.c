/*
 * Callbacks that are registered to be called when something happens: done-callbacks, a loop's
 * readers, writers and signal handlers (Lib/asyncio/selector_events.py _add_reader: the data of a
 * selector's key is a pair of handles; unix_events.py _signal_handlers), handlers of
 * signal.signal(), those of the items of a process pool (Lib/concurrent/futures/process.py 3.8
 * _queue_management_worker, later _ExecutorManagerThread), finalizers (Lib/weakref.py
 * finalize._registry: func, args), and the links of greenlets. What asyncio registers for itself is
 * known to do what the graph says of it, but for a task group: a member that fails has the others
 * cancelled (Lib/asyncio/taskgroups.py _on_task_done).
 */
#include "read/loops/registered.h"

#include "read/loops/asyncio/callback.h"
#include "read/loops/asyncio/ready_queue.h"
#include "read/loops/asyncio/timer_cancels.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/stdlib/signal_handlers.h"

enum {
    MAX_CALLBACKS = 1024, /* of one task or future */
    MAX_ENTRIES = 1 << 16,
    KEY_DATA = 3, /* selectors.SelectorKey: fileobj, fd, events, data */
};

#define PROCESS_PY "/concurrent/futures/process.py"

struct each {
    lk_registered_fn *fn;
    void *arg;
    struct lk_registered r;
    lk_addr loop;
    unsigned left;
};

static void call(struct lk_py *py, struct each *e, lk_addr callback, lk_addr args)
{
    size_t n;
    e->r.callback = callback;
    e->r.args = args;
    e->r.cancels |= lk_aio_timer_cancels(py, callback, &n) != NULL;
    e->fn(py, &e->r, e->arg);
    e->r.cancels = false;
}

/* One entry more; false when there are too many to be looked at. */
static bool spend(struct lk_py *py, struct each *e)
{
    if (--e->left > 0)
        return true;
    py->s->at_hand_cut = true;
    return false;
}

/* ---- of tasks and futures ---------------------------------------------------------------- */

static void done_callback(struct lk_py *py, struct each *e, lk_addr callback)
{
    const struct lk_aio_callback *c = lk_aio_callback(py, callback);
    e->r.cancels = c->origin == LK_ORIGIN_TASK_GROUP;
    if (!c->known || e->r.cancels)
        call(py, e, callback, 0);
}

void lk_py_each_done_callback(struct lk_py *py, lk_addr future, struct lk_ref by,
                              lk_registered_fn *fn, void *arg)
{
    struct each e = { .fn = fn, .arg = arg, .r = { .by = by, .when = "that is done" } };
    struct lk_aio_fut f;
    size_t n = 0;
    if (!lk_aio_is_pending(py, future) || !lk_aio_read_fut(py, future, &f))
        return;
    if (f.callback0)
        done_callback(py, &e, f.callback0);
    lk_addr *items = f.callbacks ? lk_py_items(py, f.callbacks, MAX_CALLBACKS, &n) : NULL;
    py->s->at_hand_cut |= n == MAX_CALLBACKS;
    bool pairs = f.cls != LK_CLASS_CFUTURE; /* asyncio keeps (callback, context) */
    for (size_t i = 0; items && i < n; i++)
        done_callback(py, &e,
                      pairs && lk_py_kind(py, items[i]) == LK_PYK_TUPLE
                          ? lk_py_item(py, items[i], 0)
                          : items[i]);
}

/* ---- of loops ---------------------------------------------------------------------------- */

static void handle(struct lk_py *py, struct each *e, lk_addr obj)
{
    struct lk_aio_handle h = { .addr = obj };
    if (obj && !lk_py_is_none(py, obj) && lk_aio_read_handle(py, e->loop, &h) &&
        h.cancelled != LK_YES)
        call(py, e, h.callback, h.args);
}

static bool watched(struct lk_py *py, lk_addr fd, lk_addr key, void *arg)
{
    struct each *e = arg;
    (void)fd;
    lk_addr data = lk_py_item(py, key, KEY_DATA);
    for (size_t i = 0; i < 2 && data && lk_py_kind(py, data) == LK_PYK_TUPLE; i++)
        handle(py, e, lk_py_item(py, data, i));
    return spend(py, e);
}

static bool signalled(struct lk_py *py, lk_addr number, lk_addr value, void *arg)
{
    struct each *e = arg;
    (void)number;
    handle(py, e, value);
    return spend(py, e);
}

static void of_loop(struct lk_py *py, struct each *e, size_t index)
{
    const struct lk_loop *o = &py->s->loops.v[index];
    if (o->closed == LK_YES)
        return;
    e->loop = o->addr;
    e->r.by = lk_ref_make(LK_KIND_LOOP, index);
    lk_addr keys = lk_py_attr(py, lk_py_attr(py, o->addr, "_selector"), "_fd_to_key"),
            signals = lk_py_attr(py, o->addr, "_signal_handlers");
    e->left = MAX_ENTRIES;
    e->r.when = "a descriptor that it watches is ready";
    if (keys && lk_py_kind(py, keys) == LK_PYK_DICT)
        lk_py_dict_each(py, keys, watched, e);
    e->left = MAX_ENTRIES;
    e->r.when = "a signal comes";
    if (signals && lk_py_kind(py, signals) == LK_PYK_DICT)
        lk_py_dict_each(py, signals, signalled, e);
}

/* What is to be called when a greenlet has ended, or an event has come: gevent, eventlet. */
static void of_hubs(struct lk_py *py, struct each *e)
{
    for (size_t i = 0; i < py->hub_callbacks.n; i++) {
        const struct lk_hub_callback *c = &py->hub_callbacks.v[i];
        e->r.by = lk_snapshot_find(py->s, LK_KIND_TASK, c->of);
        e->r.when = c->of ? "that has ended" : "what it is linked to has come";
        if (c->callback)
            call(py, e, c->callback, c->args);
    }
}

/* ---- of process pools -------------------------------------------------------------------- */

static bool work_item(struct lk_py *py, lk_addr id, lk_addr item, void *arg)
{
    struct each *e = arg;
    (void)id;
    lk_addr future = lk_py_attr(py, item, "future");
    if (future)
        lk_py_each_done_callback(py, future, e->r.by, e->fn, e->arg);
    return spend(py, e);
}

static void of_pool(struct lk_py *py, struct each *e, const struct lk_pyf *f)
{
    lk_addr items = 0;
    if (lk_py_frame_is(py, f, "run", PROCESS_PY))
        items = lk_py_attr(py, lk_py_local(py, f, "self"), "pending_work_items");
    else if (lk_py_frame_is(py, f, "_queue_management_worker", PROCESS_PY))
        items = lk_py_local(py, f, "pending_work_items");
    e->left = MAX_ENTRIES;
    if (items && lk_py_kind(py, items) == LK_PYK_DICT)
        lk_py_dict_each(py, items, work_item, e);
}

static void of_pools(struct lk_py *py, struct each *e)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        e->r.by = lk_ref_make(LK_KIND_THREAD, i);
        for (size_t k = 0; frames && k < frames->n; k++)
            of_pool(py, e, &frames->v[k]);
    }
}

/* ---- of the process ---------------------------------------------------------------------- */

static bool finalizer(struct lk_py *py, lk_addr key, lk_addr info, void *arg)
{
    struct each *e = arg;
    (void)key;
    lk_addr func = lk_py_attr(py, info, "func");
    if (func)
        call(py, e, func, lk_py_attr(py, info, "args"));
    return spend(py, e);
}

void lk_py_each_registered(struct lk_py *py, lk_registered_fn *fn, void *arg)
{
    struct each e = { .fn = fn, .arg = arg };
    for (size_t i = 0; i < py->s->loops.n; i++)
        of_loop(py, &e, i);
    of_hubs(py, &e);
    of_pools(py, &e);
    e.r.by = lk_ref_make(LK_KIND_NONE, 0);
    e.r.when = "a signal comes";
    lk_py_read_signal_handlers(py);
    const struct lk_reader *a = lk_reader(py);
    for (size_t i = 0; i < a->handlers.n; i++)
        if (lk_py_handler_is_own(py, a->handlers.v[i]))
            call(py, &e, a->handlers.v[i], 0);
    e.left = MAX_ENTRIES;
    e.r.when = "an object is gone";
    const struct lk_pytype *ty = lk_py_type_at(py, lk_py_module_attr(py, "weakref", "finalize"));
    lk_addr registry = ty ? lk_py_type_attr(py, ty, "_registry") : 0;
    if (registry && lk_py_kind(py, registry) == LK_PYK_DICT)
        lk_py_dict_each(py, registry, finalizer, &e);
}

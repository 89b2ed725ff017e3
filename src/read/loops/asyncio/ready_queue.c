/* What stands in a loop's ready queue and timer heap: handles, the tasks they step, the futures
 * they complete. */
#include "read/loops/asyncio/ready_queue.h"

#include "read/loops/asyncio/callback.h"
#include "read/loops/asyncio/frame_rows.h"
#include "read/loops/asyncio/setters.h"
#include "read/loops/asyncio/timer_cancels.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"

enum {
    /* TaskStepMethWrapper.sw_task, TaskWakeupMethWrapper.ww_task (Modules/_asynciomodule.c) */
    STEP_TASK = 16,
};

bool lk_aio_read_handle(struct lk_py *py, lk_addr loop, struct lk_aio_handle *h)
{
    (void)loop;
    h->callback = lk_py_attr(py, h->addr, "_callback");
    h->args = lk_py_attr(py, h->addr, "_args");
    h->cancelled = lk_py_bool(py, lk_py_attr(py, h->addr, "_cancelled"));
    return h->callback != 0;
}

/* Task whose step or wake-up the callback is; 0. */
static lk_addr stepped_task(struct lk_py *py, lk_addr callback)
{
    lk_addr func, self;
    switch (lk_py_kind(py, callback)) {
    case LK_PYK_TASKSTEP:
    case LK_PYK_TASKWAKEUP: return lk_py_ptr(py, lk_py_field(py, callback, STEP_TASK));
    case LK_PYK_BUILTIN_METHOD:
    case LK_PYK_METHOD: break;
    default: return 0;
    }
    if (!lk_py_method(py, callback, &func, &self))
        return 0;
    enum lk_known_class cls = lk_py_known_class(py, self, NULL);
    const char *name = lk_py_callable_name(py, callback);
    if (cls == LK_CLASS_TASK)
        return strcmp(name, "task_wakeup") == 0 ? self : 0;
    /* asyncio.tasks.Task in Python: private names are mangled */
    return cls == LK_CLASS_PYTASK &&
                   (lk_ends_with(name, "__step") || lk_ends_with(name, "__wakeup"))
               ? self
               : 0;
}

static bool function_is(struct lk_py *py, lk_addr func, const char *qualname)
{
    lk_addr name;
    return lk_py_kind(py, func) == LK_PYK_FUNCTION &&
           (name = lk_py_ptr(py, func + py->layout.func_qualname)) &&
           lk_py_str_eq(py, name, qualname);
}

/* Coroutine that this handle will make a task of: run_coroutine_threadsafe,
 * call_soon_threadsafe(loop.create_task, coro). */
static lk_addr created_coroutine(struct lk_py *py, const struct lk_aio_handle *h, lk_addr *future)
{
    lk_addr func, self;
    *future = 0;
    if (function_is(py, h->callback, "run_coroutine_threadsafe.<locals>.callback")) {
        *future = lk_py_closure(py, h->callback, "future");
        return lk_py_closure(py, h->callback, "coro");
    }
    if (!lk_py_method(py, h->callback, &func, &self) ||
        lk_py_known_class(py, self, NULL) != LK_CLASS_LOOP)
        return 0;
    lk_addr coro = lk_py_item(py, h->args, 0);
    return lk_py_kind(py, coro) == LK_PYK_COROUTINE ? coro : 0;
}

/* The first line of what the handle runs: a task's or coroutine's `def` line, else its function's.
 */
static void name_handle(struct lk_py *py, const struct lk_aio_handle *h, lk_addr coro,
                        struct lk_handle *out)
{
    struct lk_pyframe frame;
    struct lk_pyf f;

    if (coro && lk_py_gen_frame(py, coro, &f)) {
        frame = lk_py_snapshot_frame(py, &f);
        if (!frame.code)
            return;
        frame.line = frame.code->firstlineno;
        out->callback = frame.code->qualname;
    } else if (lk_py_callable_frame(py, h->callback, &frame)) {
        out->callback = frame.code->qualname;
    } else {
        out->callback = lk_py_callable_name(py, h->callback);
        return;
    }
    out->frame = lk_arena_alloc(py->s->arena, sizeof *out->frame);
    *out->frame = frame;
}

static void keep_handle(struct lk_py *py, const struct lk_aio_handle *h, struct lk_handle *out)
{
    lk_addr future, task = stepped_task(py, h->callback);
    struct lk_aio_fut fut;

    out->addr = h->addr;
    out->callback = "";
    out->cancelled = h->cancelled;
    out->when_ms = h->timed ? lk_reader_left_ms(py, lk_reader_ms(h->when)) : LK_UNKNOWN;
    if (!h->callback)
        return;
    lk_addr coro = created_coroutine(py, h, &future);
    if (future)
        out->creates = lk_py_future(py, future);
    if (task && lk_aio_read_fut(py, task, &fut)) {
        out->task = lk_py_task(py, task);
        coro = fut.coro;
    }
    name_handle(py, h, coro, out);
}

/* ---- ready queue --------------------------------------------------------------------- */

/* Frames of a coroutine that has not started and will set a future it was given. */
static void note_unstarted(struct lk_py *py, lk_addr coro, struct lk_ref loop)
{
    struct lk_pyf f;
    if (lk_py_gen_frame(py, coro, &f)) {
        const struct lk_pyframes one = { .v = &f, .n = 1 };
        lk_aio_note_setters(py, &one, loop);
    }
}

static void index_ready(struct lk_py *py, const struct lk_aio_handle *h, struct lk_ref loop)
{
    lk_addr future;
    if (h->cancelled == LK_YES || !h->callback)
        return;
    lk_addr task = stepped_task(py, h->callback);
    if (task) {
        lk_map_put(&lk_reader(py)->ready, task, loop.index + 1);
        return;
    }
    lk_addr coro = created_coroutine(py, h, &future);
    if (coro)
        note_unstarted(py, coro, loop);
    if (future) {
        lk_py_future_set_by(py, future, loop, true, LK_ORIGIN_RUN_COROUTINE_THREADSAFE);
        return;
    }
    const struct lk_aio_callback *c = lk_aio_callback(py, h->callback);
    lk_addr target = c->first_arg ? lk_py_item(py, h->args, 0) : c->target;
    if (target && c->does != LK_CB_FOLLOWS)
        lk_py_future_set_by(py, target, loop, c->known, c->origin);
}

void lk_aio_read_ready(struct lk_py *py, struct lk_ref loop, lk_addr ready,
                       lk_aio_handle_reader read_handle)
{
    size_t n;
    lk_addr obj = lk_loop_at(py->s, loop)->addr;
    int64_t len = lk_py_len(py, ready);
    if (len < 0)
        return;
    lk_addr *items = lk_py_items(py, ready, LK_READER_MAX_HANDLES, &n);
    size_t keep = LK_MIN(n, (size_t)LK_READER_KEEP_HANDLES), kept = 0;
    struct lk_handle *handles = lk_arena_array(py->s->arena, keep, sizeof *handles);

    for (size_t i = 0; i < n; i++) {
        struct lk_aio_handle h = { .addr = items[i], .cancelled = LK_TRI_UNKNOWN };
        if (!read_handle(py, obj, &h))
            continue;
        index_ready(py, &h, loop);
        if (kept < keep)
            keep_handle(py, &h, &handles[kept++]);
    }
    struct lk_loop *o = lk_loop_at(py->s, loop);
    o->ready = len;
    o->handles = handles;
    o->n_handles = kept;
    for (size_t i = 0; i < kept && o->ready_task.kind == LK_KIND_NONE; i++)
        o->ready_task = handles[i].task;
}

/* ---- timers -------------------------------------------------------------------------- */

/* Names of methods by which a timer ends a wait early: asyncio.timeout() and async_timeout. */
static bool cancels(const char *name)
{
    return lk_ends_with(name, "_on_timeout") || lk_ends_with(name, "cancel");
}

static bool is_task(struct lk_py *py, lk_addr obj)
{
    enum lk_known_class c = lk_py_known_class(py, obj, NULL);
    return c == LK_CLASS_TASK || c == LK_CLASS_PYTASK;
}

static bool is_future(struct lk_py *py, lk_addr obj)
{
    enum lk_known_class c = lk_py_known_class(py, obj, NULL);
    return c == LK_CLASS_FUTURE || c == LK_CLASS_PYFUTURE || c == LK_CLASS_CFUTURE ||
           c == LK_CLASS_GATHER;
}

static void index_bound_timer(struct lk_py *py, const struct lk_aio_handle *h, lk_addr self,
                              int64_t when)
{
    struct lk_reader *a = lk_reader(py);
    const char *name = lk_py_callable_name(py, h->callback);

    if (is_future(py, self)) {
        lk_reader_earliest(cancels(name) ? &a->timer_frees : &a->timer_sets, self, when);
        return;
    }
    if (!cancels(name))
        return;
    lk_addr task = is_task(py, self) ? self : lk_py_attr(py, self, "_task");
    if (!is_task(py, task))
        task = lk_py_item(py, h->args, 0);
    if (is_task(py, task))
        lk_reader_earliest(&a->deadlines, task, when);
}

/* What is known of it by a row completes one future and nothing else. */
static void keep_timer(struct lk_py *py, const struct lk_aio_handle *h, struct lk_ref loop)
{
    lk_vec_add(&py->timers, ((struct lk_py_timer){ loop.index, h->callback, h->args,
                                                   lk_reader_left_ms(py, lk_reader_ms(h->when)) }));
}

static void index_timer(struct lk_py *py, const struct lk_aio_handle *h, struct lk_ref loop)
{
    struct lk_reader *a = lk_reader(py);
    int64_t when = lk_reader_ms(h->when);
    lk_addr func, self;
    size_t n;

    if (!h->callback || !h->timed || h->cancelled == LK_YES)
        return;
    lk_addr *cancelled = lk_aio_timer_cancels(py, h->callback, &n);
    for (size_t i = 0; cancelled && i < n; i++)
        lk_reader_earliest(&a->deadlines, cancelled[i], when);
    if (lk_py_method(py, h->callback, &func, &self)) {
        keep_timer(py, h, loop);
        if (!cancelled)
            index_bound_timer(py, h, self, when);
        return;
    }
    const struct lk_aio_callback *c = lk_aio_callback(py, h->callback);
    if (!c->known)
        keep_timer(py, h, loop);
    lk_addr target = c->first_arg ? lk_py_item(py, h->args, 0) : c->target;
    if (!target || !is_future(py, target))
        return;
    bool early = c->origin == LK_ORIGIN_WAIT_FOR;
    lk_reader_earliest(early ? &a->timer_frees : &a->timer_sets, target, when);
}

/* Keeps the earliest handles in order. */
static void keep_earliest(struct lk_aio_handle *v, size_t *n, const struct lk_aio_handle *h)
{
    size_t i = *n;
    if (i == LK_READER_KEEP_HANDLES && v[i - 1].when <= h->when)
        return;
    if (i == LK_READER_KEEP_HANDLES)
        i--;
    else
        (*n)++;
    for (; i > 0 && v[i - 1].when > h->when; i--)
        v[i] = v[i - 1];
    v[i] = *h;
}

bool lk_aio_read_timer(struct lk_py *py, lk_addr loop, struct lk_aio_handle *h)
{
    if (!lk_aio_read_handle(py, loop, h))
        return false;
    h->timed = lk_py_number(py, lk_py_attr(py, h->addr, "_when"), &h->when);
    return h->timed || h->cancelled == LK_YES;
}

static void keep_timers(struct lk_py *py, struct lk_ref loop, const struct lk_aio_handle *first,
                        size_t n, int64_t live)
{
    struct lk_handle *handles = lk_arena_array(py->s->arena, n, sizeof *handles);
    for (size_t i = 0; i < n; i++)
        keep_handle(py, &first[i], &handles[i]);
    struct lk_loop *o = lk_loop_at(py->s, loop);
    o->timers = live;
    if (n)
        o->next_timer_ms = handles[0].when_ms;
    o->timer_handles = handles;
    o->n_timer_handles = n;
}

bool lk_aio_read_timers(struct lk_py *py, struct lk_ref loop, lk_addr scheduled,
                        lk_aio_handle_reader read_timer)
{
    struct lk_aio_handle first[LK_READER_KEEP_HANDLES];
    lk_addr obj = lk_loop_at(py->s, loop)->addr;
    size_t n, kept = 0;
    int64_t live = 0;
    bool all = true;

    if (!scheduled || lk_py_len(py, scheduled) < 0)
        return false;
    lk_addr *items = lk_py_items(py, scheduled, LK_READER_MAX_HANDLES, &n);
    for (size_t i = 0; i < n; i++) {
        struct lk_aio_handle h = { .addr = items[i], .cancelled = LK_TRI_UNKNOWN };
        bool read = read_timer(py, obj, &h);
        all &= read;
        if (!read || h.cancelled == LK_YES)
            continue;
        live++;
        index_timer(py, &h, loop);
        keep_earliest(first, &kept, &h);
    }
    keep_timers(py, loop, first, kept, live);
    if (lk_py_len(py, scheduled) == (int64_t)n)
        return all;
    lk_snapshot_limit_of(py->s, loop, (struct lk_failed_read){ 0 },
                         "loop %s has more than %d timers; the rest was not read",
                         lk_loop_at(py->s, loop)->id, LK_READER_MAX_HANDLES);
    return false;
}

/*
 * Timers that are known to do nothing but cancel tasks: Task.cancel itself
 * (Modules/_asynciomodule.c, Lib/asyncio/tasks.py), asyncio.timeout (Lib/asyncio/timeouts.py
 * Timeout._on_timeout: its _task), anyio's cancel scopes (anyio/_backends/_asyncio.py
 * CancelScope._timeout, 3.0 - 4.16: all of its _tasks, and those of its _child_scopes unless they
 * are shielded), aiohttp's total time of a request (aiohttp/helpers.py TimeoutHandle, 3.0 - 3.14:
 * its _callbacks are those of TimerContexts, each with its _tasks).
 */
#include "read/loops/asyncio/timer_cancels.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/reader/known_class.h"

enum { MAX_SCOPES = 32 }; /* within each other */

struct cancelled {
    lk_addr *v;
    size_t n;
    bool cut;
};

static bool is_task(struct lk_py *py, lk_addr obj)
{
    enum lk_known_class c = lk_py_known_class(py, obj, NULL);
    return c == LK_CLASS_TASK || c == LK_CLASS_PYTASK;
}

static bool function_is(struct lk_py *py, lk_addr func, const char *name, const char *file)
{
    const struct lk_pycode *c = lk_py_code(py, lk_py_function_code(py, func));
    return c && strcmp(c->code->function, name) == 0 && lk_ends_with(c->code->file, file);
}

static void add_task(struct lk_py *py, lk_addr task, struct cancelled *c)
{
    if (!is_task(py, task))
        return;
    if (c->n == LK_AIO_MAX_CANCELLED)
        c->cut = true;
    else
        c->v[c->n++] = task;
}

static void add_scope(struct lk_py *py, lk_addr scope, unsigned depth, struct cancelled *c)
{
    size_t n = 0;
    lk_addr tasks = lk_py_attr(py, scope, "_tasks"),
            scopes = lk_py_attr(py, scope, "_child_scopes");
    lk_addr *items = lk_py_items(py, tasks, LK_AIO_MAX_CANCELLED, &n);
    c->cut |= lk_py_len(py, tasks) != (int64_t)n || depth == MAX_SCOPES;
    for (size_t i = 0; i < n; i++)
        add_task(py, items[i], c);
    if (!scopes || c->cut) /* anyio 3 has no child scopes: all tasks stand in _tasks */
        return;
    items = lk_py_items(py, scopes, LK_AIO_MAX_CANCELLED, &n);
    c->cut |= lk_py_len(py, scopes) != (int64_t)n;
    for (size_t i = 0; i < n && !c->cut; i++)
        if (lk_py_bool(py, lk_py_attr(py, items[i], "_shield")) != LK_YES)
            add_scope(py, items[i], depth + 1, c);
}

/* Anything else that is called makes it more than a cancellation. */
static void add_contexts(struct lk_py *py, lk_addr handle, struct cancelled *c)
{
    size_t n = 0;
    lk_addr callbacks = lk_py_attr(py, handle, "_callbacks");
    lk_addr *items = lk_py_items(py, callbacks, LK_AIO_MAX_CANCELLED, &n);
    c->cut |= lk_py_len(py, callbacks) != (int64_t)n;
    for (size_t i = 0; i < n && !c->cut; i++) {
        lk_addr func, self, callback = lk_py_item(py, items[i], 0);
        if (lk_py_method(py, callback, &func, &self) && func &&
            function_is(py, func, "timeout", "/aiohttp/helpers.py"))
            add_scope(py, self, 0, c);
        else
            c->cut = true;
    }
}

static bool is_cancel(struct lk_py *py, lk_addr callback, lk_addr func)
{
    return func ? function_is(py, func, "cancel", "/asyncio/tasks.py")
                : strcmp(lk_py_callable_name(py, callback), "cancel") == 0;
}

static lk_addr *keep(struct lk_py *py, const struct cancelled *c, size_t *n)
{
    if (c->cut)
        return NULL;
    lk_addr *ret = lk_arena_array(py->s->arena, c->n + 1, sizeof *ret);
    memcpy(ret, c->v, c->n * sizeof *ret);
    *n = c->n;
    return ret;
}

lk_addr *lk_aio_scope_cancels(struct lk_py *py, lk_addr scope, size_t *n)
{
    lk_addr room[LK_AIO_MAX_CANCELLED];
    struct cancelled c = { .v = room };
    *n = 0;
    add_scope(py, scope, 0, &c);
    return keep(py, &c, n);
}

lk_addr *lk_aio_timer_cancels(struct lk_py *py, lk_addr callback, size_t *n)
{
    lk_addr func, self;
    *n = 0;
    if (!lk_py_method(py, callback, &func, &self))
        return NULL;
    struct cancelled c = { 0 };
    bool task = is_task(py, self),
         timeout = func && function_is(py, func, "_on_timeout", "/asyncio/timeouts.py"),
         scope = func && function_is(py, func, "_timeout", "/anyio/_backends/_asyncio.py"),
         total = func && function_is(py, func, "__call__", "/aiohttp/helpers.py");
    if (task && !is_cancel(py, callback, func))
        return NULL;
    if (!task && !timeout && !scope && !total)
        return NULL;
    lk_addr room[LK_AIO_MAX_CANCELLED];
    c.v = room;
    if (scope)
        add_scope(py, self, 0, &c);
    else if (total)
        add_contexts(py, self, &c);
    else
        add_task(py, task ? self : lk_py_attr(py, self, "_task"), &c);
    return keep(py, &c, n);
}

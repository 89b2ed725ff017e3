/*
 * The fields that tasks and futures share, whether made in C (Modules/_asynciomodule.c FutureObj,
 * TaskObj), in Python (Lib/asyncio/futures.py), or concurrent ones
 * (Lib/concurrent/futures/_base.py) or a pool's (Lib/multiprocessing/pool.py).
 */
#include "read/python/stdlib/future_object.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/layout_table.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"

enum { HEAD = 256 }; /* no task or future structure is larger */

static bool no_task(struct lk_py *py, lk_addr obj, size_t size)
{
    struct lk_reader *a = lk_reader(py);
    if (!a->bad_task)
        a->bad_read = (struct lk_failed_read){ .addr = obj, .size = size, .reading = "a task" };
    a->bad_task = true;
    return false;
}

/* The structure made in C (Modules/_asynciomodule.c FutureObj, TaskObj). Its size is this
 * version's, or it is not read. */
static bool read_c(struct lk_py *py, lk_addr obj, bool task, struct lk_aio_fut *ret)
{
    const struct lk_layout *l = &py->layout;
    const struct lk_pytype *ty = lk_py_type(py, obj);
    uint8_t b[HEAD];
    uint32_t size = task ? l->task_size : l->fut_size, cancel;
    int32_t state;

    if (!ty || size > HEAD || ty->basicsize < (int64_t)size ||
        (ty->basicsize > (int64_t)size && !ty->base))
        return no_task(py, obj, size);
    if (!lk_read(py->t, obj, b, size))
        return false;
    ret->loop = lk_word_at(b, l->fut_loop);
    ret->callback0 = lk_word_at(b, l->fut_callback0);
    ret->callbacks = lk_word_at(b, l->fut_callbacks);
    memcpy(&state, b + l->fut_state, sizeof state);
    if (state < 0 || state > 2)
        return no_task(py, obj, size);
    ret->state = state;
    if (!task)
        return true;
    ret->fut_waiter = lk_word_at(b, l->task_fut_waiter);
    ret->coro = lk_word_at(b, l->task_coro);
    ret->name = lk_word_at(b, l->task_name);
    memcpy(&cancel, b + l->task_must_cancel, l->task_must_cancel_bit == LK_OFF_NONE ? 4 : 1);
    if (l->task_must_cancel_bit == LK_OFF_NONE)
        ret->must_cancel = cancel != 0;
    else
        ret->must_cancel = (b[l->task_must_cancel] >> l->task_must_cancel_bit) & 1;
    return true;
}

static int state_of_text(struct lk_py *py, lk_addr state)
{
    static const struct {
        const char *name;
        int state;
    } names[] = {
        { "PENDING", 0 },  { "RUNNING", 3 }, { "CANCELLED", 1 }, { "CANCELLED_AND_NOTIFIED", 1 },
        { "FINISHED", 2 },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(names); i++)
        if (lk_py_str_eq(py, state, names[i].name))
            return names[i].state;
    return -1;
}

/* multiprocessing.pool.ApplyResult is done when its event is set. */
static int state_of_event(struct lk_py *py, lk_addr event)
{
    switch (lk_py_bool(py, event ? lk_py_attr(py, event, "_flag") : 0)) {
    case LK_NO: return 0;
    case LK_YES: return 2;
    default: return -1;
    }
}

static lk_addr not_none(struct lk_py *py, lk_addr obj)
{
    return obj && !lk_py_is_none(py, obj) ? obj : 0;
}

/* asyncio.futures.Future has the first state in its class; instances get one of their own when it
 * changes. */
static lk_addr state_attr(struct lk_py *py, lk_addr obj)
{
    lk_addr own = lk_py_attr(py, obj, "_state");
    const struct lk_pytype *ty = own ? NULL : lk_py_type(py, obj);
    return ty ? lk_py_type_attr(py, ty, "_state") : own;
}

static void read_python(struct lk_py *py, lk_addr obj, bool task, struct lk_aio_fut *ret)
{
    ret->state = state_of_text(py, state_attr(py, obj));
    ret->loop = not_none(py, lk_py_attr(py, obj, "_loop"));
    ret->callbacks = not_none(py, lk_py_attr(py, obj, "_callbacks"));
    if (!task)
        return;
    ret->fut_waiter = not_none(py, lk_py_attr(py, obj, "_fut_waiter"));
    ret->coro = not_none(py, lk_py_attr(py, obj, "_coro"));
    ret->name = lk_py_attr(py, obj, "_name");
    ret->must_cancel = lk_py_bool(py, lk_py_attr(py, obj, "_must_cancel")) == LK_YES;
}

static bool made_in_c(struct lk_py *py, lk_addr obj)
{
    return lk_py_isinstance(py, obj, "_asyncio", "Future");
}

bool lk_aio_read_fut(struct lk_py *py, lk_addr obj, struct lk_aio_fut *ret)
{
    *ret = (struct lk_aio_fut){ .cls = lk_py_known_class(py, obj, NULL), .state = -1 };
    switch (ret->cls) {
    case LK_CLASS_TASK: return read_c(py, obj, true, ret);
    case LK_CLASS_FUTURE: return read_c(py, obj, false, ret);
    case LK_CLASS_GATHER:
        if (made_in_c(py, obj))
            return read_c(py, obj, false, ret);
        read_python(py, obj, false, ret);
        return true;
    case LK_CLASS_PYTASK:
    case LK_CLASS_PYFUTURE: read_python(py, obj, ret->cls == LK_CLASS_PYTASK, ret); return true;
    case LK_CLASS_CFUTURE:
        ret->state = state_of_text(py, lk_py_attr(py, obj, "_state"));
        ret->callbacks = lk_py_attr(py, obj, "_done_callbacks");
        return true;
    case LK_CLASS_POOL_RESULT:
        ret->state = state_of_event(py, lk_py_attr(py, obj, "_event"));
        return true;
    default: return false;
    }
}

bool lk_aio_is_pending(struct lk_py *py, lk_addr future)
{
    struct lk_aio_fut f;
    return lk_aio_read_fut(py, future, &f) && f.state != 1 && f.state != 2;
}

bool lk_aio_await_chain(struct lk_py *py, lk_addr task, struct lk_pyframes *frames, bool *truncated)
{
    struct lk_aio_fut f;
    const char *leaf_type;
    lk_addr leaf;
    frames->n = 0;
    *truncated = false;
    lk_addr coro = 0;
    if (lk_py_known_class(py, task, NULL) == LK_CLASS_TRIO_TASK)
        coro = lk_py_attr(py, task, "coro");
    else if (lk_aio_read_fut(py, task, &f))
        coro = f.coro;
    if (!coro)
        return false;
    lk_py_await_chain(py, coro, frames, &leaf, &leaf_type, truncated);
    return true;
}

/*
 * uvloop.loop.Handle and TimerHandle (uvloop/cbhandles.pxd, 0.14 - 0.23): one callback of the ready
 * queue, one timer. When a timer is due stands in its uv_timer_t (libuv 1.x include/uv.h).
 */
#include "read/loops/uvloop/handle.h"

#include "read/loops/asyncio/ready_queue.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

enum {
    /* after the virtual table: loop, context, flags, name, kind, C callback, arguments */
    UV_LOOP = 24,
    UV_CANCELLED = 40,
    UV_KIND = 56,
    UV_ARGS = 72,
    UV_KIND_CALLABLE = 1, /* arg1 is the callable, arg2 its arguments */
    /* TimerHandle: after the virtual table callback, arguments, cancelled, timer, loop */
    TIMER_CALLBACK = 24,
    TIMER_ARGS = 32,
    TIMER_CANCELLED = 40,
    TIMER_UVTIMER = 48,
    TIMER_LOOP = 56,
    /* UVHandle (uvloop/handles/handle.pxd): after the virtual table uv_handle_t * */
    UVTIMER_HANDLE = 24,
    /* uv_handle_t.type, uv_timer_t.timeout: ms on the clock of the loop */
    UV_TYPE = 16,
    UV_TYPE_TIMER = 13,
    UV_TIMER_TIMEOUT = 128,
};

bool lk_uvloop_read_handle(struct lk_py *py, lk_addr loop, struct lk_aio_handle *h)
{
    int32_t cancelled, kind;
    if (lk_py_ptr(py, lk_py_field(py, h->addr, UV_LOOP)) != loop ||
        !lk_read_i32(py->t, lk_py_field(py, h->addr, UV_CANCELLED), &cancelled) ||
        !lk_read_i32(py->t, lk_py_field(py, h->addr, UV_KIND), &kind))
        return false;
    h->cancelled = cancelled ? LK_YES : LK_NO;
    if (kind == UV_KIND_CALLABLE) {
        h->callback = lk_py_ptr(py, lk_py_field(py, h->addr, UV_ARGS));
        h->args = lk_py_ptr(py, lk_py_field(py, h->addr, UV_ARGS + 8));
    }
    return true;
}

bool lk_uvloop_is_timer(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    return ty && strcmp(ty->name, "uvloop.loop.TimerHandle") == 0;
}

/* One that was run or cancelled has no UVTimer any more. */
bool lk_uvloop_read_timer(struct lk_py *py, lk_addr loop, struct lk_aio_handle *h)
{
    int32_t cancelled, type;
    uint64_t due;
    lk_addr timer, uv;

    if (!lk_uvloop_is_timer(py, h->addr) ||
        lk_py_ptr(py, lk_py_field(py, h->addr, TIMER_LOOP)) != loop ||
        !lk_read_i32(py->t, lk_py_field(py, h->addr, TIMER_CANCELLED), &cancelled) ||
        !(timer = lk_py_ptr(py, lk_py_field(py, h->addr, TIMER_UVTIMER))))
        return false;
    h->cancelled = cancelled || lk_py_is_none(py, timer) ? LK_YES : LK_NO;
    if (h->cancelled == LK_YES)
        return true;
    h->callback = lk_py_ptr(py, lk_py_field(py, h->addr, TIMER_CALLBACK));
    h->args = lk_py_ptr(py, lk_py_field(py, h->addr, TIMER_ARGS));
    uv = lk_py_ptr(py, lk_py_field(py, timer, UVTIMER_HANDLE));
    if (!h->callback || !uv || !lk_read_i32(py->t, uv + UV_TYPE, &type) || type != UV_TYPE_TIMER ||
        !lk_read_u64(py->t, uv + UV_TIMER_TIMEOUT, &due))
        return false;
    h->when = (double)due / 1000;
    h->timed = true;
    return true;
}

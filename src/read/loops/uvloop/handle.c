/* uvloop.loop.Handle (uvloop/cbhandles.pxd, 0.14 - 0.23): one callback of the ready queue. */
#include "read/loops/uvloop/handle.h"

#include "read/loops/asyncio/ready_queue.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/type.h"

enum {
    /* after the virtual table: loop, context, flags, name, kind, C callback, arguments */
    UV_LOOP = 24,
    UV_CANCELLED = 40,
    UV_KIND = 56,
    UV_ARGS = 72,
    UV_KIND_CALLABLE = 1, /* arg1 is the callable, arg2 its arguments */
};

bool lk_uvloop_read_handle(struct lk_py *py, lk_addr loop, struct lk_aio_handle *h)
{
    int32_t cancelled, kind;
    if (lk_py_ptr(py, h->addr + UV_LOOP) != loop ||
        !lk_read_i32(py->t, h->addr + UV_CANCELLED, &cancelled) ||
        !lk_read_i32(py->t, h->addr + UV_KIND, &kind))
        return false;
    h->cancelled = cancelled ? LK_YES : LK_NO;
    if (kind == UV_KIND_CALLABLE) {
        h->callback = lk_py_ptr(py, h->addr + UV_ARGS);
        h->args = lk_py_ptr(py, h->addr + UV_ARGS + 8);
    }
    return true;
}

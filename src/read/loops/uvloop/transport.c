/*
 * A stream transport of uvloop is a C object (uvloop/handles/handle.pxd UVHandle) around a handle
 * of libuv, whose descriptor is where include/uv.h of libuv 1.x has it.
 */
#include "read/loops/uvloop/transport.h"

#include "read/python/interpreter/class.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"

enum {
    /* uvloop.loop.UVHandle (uvloop/handles/handle.pxd): PyObject_HEAD, vtable, uv_handle_t *, Loop
     */
    UV_HANDLE = 24,
    UV_LOOP = 32,
    /* libuv 1.x include/uv.h: uv_handle_t.type; uv_stream_t.io_watcher.fd */
    UV_TYPE = 16,
    UV_STREAM_FD = 184,
    UV_NAMED_PIPE = 7,
    UV_TCP = 12,
};

int64_t lk_uvloop_transport_fd(struct lk_py *py, lk_addr transport)
{
    int32_t type, fd;
    if (!lk_py_isinstance(py, transport, "uvloop.loop", "UVStream") ||
        lk_py_known_class(py, lk_py_ptr(py, lk_py_field(py, transport, UV_LOOP)), NULL) !=
            LK_CLASS_LOOP)
        return LK_UNKNOWN;
    lk_addr handle = lk_py_ptr(py, lk_py_field(py, transport, UV_HANDLE));
    if (!handle || !lk_read_i32(py->t, handle + UV_TYPE, &type) ||
        (type != UV_NAMED_PIPE && type != UV_TCP) ||
        !lk_read_i32(py->t, handle + UV_STREAM_FD, &fd) || fd < 0)
        return LK_UNKNOWN;
    return fd;
}

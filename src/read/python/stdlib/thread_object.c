/* threading.Thread (Lib/threading.py): which thread an object stands for. */
#include "read/python/stdlib/thread_object.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/forked_threads.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"

/* Ident of a threading.Thread; 0 = none, or not started. */
static uint64_t ident_of(struct lk_py *py, lk_addr thread, bool *known)
{
    int64_t ident;
    lk_addr v = thread ? lk_py_attr(py, thread, "_ident") : 0;

    *known = py->frames_complete && v;
    return v && lk_py_int(py, v, &ident) ? (uint64_t)ident : 0;
}

/* A new thread may have got the ident of one that ended: who is who, threading._active tells. */
struct lk_ref lk_py_thread_of_object(struct lk_py *py, lk_addr thread, bool *known)
{
    struct lk_ref ref = lk_py_thread_by_ident(py, ident_of(py, thread, known));
    uint64_t object;
    if (ref.kind == LK_KIND_THREAD && lk_map_get(&py->thread_objects, ref.index, &object) &&
        object != thread)
        return lk_ref_make(LK_KIND_NONE, 0);
    return ref;
}

/* True when the thread of this threading.Thread, which was started, is certainly no more. */
bool lk_py_thread_is_gone(struct lk_py *py, lk_addr thread)
{
    bool known;
    uint64_t ident = ident_of(py, thread, &known);
    if (!known || !ident || lk_py_thread_of_object(py, thread, &known).kind != LK_KIND_NONE)
        return false;
    return lk_py_thread_by_ident(py, ident).kind != LK_KIND_NONE ||
           !lk_py_ident_may_live(py, ident);
}

lk_addr lk_py_timer_of_frame(struct lk_py *py, const struct lk_pyf *f)
{
    lk_addr self = lk_py_frame_is(py, f, "run", "/threading.py") ? lk_py_local(py, f, "self") : 0;
    return self && lk_py_isinstance(py, self, "threading", "Timer") ? self : 0;
}

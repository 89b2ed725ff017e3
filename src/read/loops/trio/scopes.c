/*
 * CancelStatus (trio/_core/_run.py) has its CancelScope in _scope and the status around it in
 * _parent; a scope's deadline counts for all that it encloses, up to a scope that shields. A
 * nursery has a scope, and with it cancels its children and whoever is in its body.
 */
#include "read/loops/trio/scopes.h"

#include "read/loops/trio/loop.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"
#include "util/memory.h"

enum { MAX_SCOPES = 256 }; /* around one task */

/* The status around this one, unless its scope shields. */
static lk_addr outer(struct lk_py *py, lk_addr status, lk_addr scope)
{
    return lk_py_bool(py, lk_trio_attr(py, scope, "_shield")) == LK_YES
               ? 0
               : lk_trio_attr(py, status, "_parent");
}

static int64_t left_until(struct lk_py *py, lk_addr loop, lk_addr scope)
{
    double when;
    if (!lk_py_number(py, lk_trio_attr(py, scope, "_deadline"), &when))
        return LK_UNKNOWN;
    if (when > 1e300) /* inf */
        return LK_FOREVER;
    int64_t at = lk_trio_moment(py, loop, when);
    return at == LK_UNKNOWN ? LK_UNKNOWN : lk_reader_left_ms(py, at);
}

int64_t lk_trio_deadline(struct lk_py *py, lk_addr loop, lk_addr task)
{
    int64_t best = LK_FOREVER;
    lk_addr status = lk_trio_attr(py, task, "_cancel_status");
    for (int i = 0; status; i++) {
        lk_addr scope = lk_trio_attr(py, status, "_scope");
        int64_t left = scope && i < MAX_SCOPES ? left_until(py, loop, scope) : LK_UNKNOWN;
        if (left == LK_UNKNOWN)
            return LK_UNKNOWN;
        best = LK_MIN(best, left);
        status = outer(py, status, scope);
    }
    return best;
}

/* A nursery's scope by its own status, which its children begin with. */
static void each_nursery(struct lk_py *py, lk_addr task,
                         void (*fn)(struct lk_py *py, lk_addr scope, void *arg), void *arg)
{
    lk_addr nursery = lk_trio_attr(py, task, "_parent_nursery");
    for (int i = 0; nursery && i < MAX_SCOPES; i++) {
        fn(py, nursery, arg);
        nursery = lk_trio_attr(py, lk_trio_attr(py, nursery, "_parent_task"), "_parent_nursery");
    }
}

/* Nursery.start() goes on when what it has begun, or anybody that has its task_status, says so. */
static void each_status(struct lk_py *py, lk_addr task,
                        void (*fn)(struct lk_py *py, lk_addr scope, void *arg), void *arg)
{
    struct lk_pyframes frames = { 0 };
    bool truncated;
    if (lk_aio_await_chain(py, task, &frames, &truncated))
        for (size_t i = 0; i < frames.n; i++) {
            lk_addr status = lk_py_frame_is(py, &frames.v[i], "start", "/trio/_core/_run.py")
                                 ? lk_py_local(py, &frames.v[i], "task_status")
                                 : 0;
            if (status)
                fn(py, status, arg);
        }
    lk_free(frames.v);
}

void lk_trio_each_scope(struct lk_py *py, lk_addr task,
                        void (*fn)(struct lk_py *py, lk_addr scope, void *arg), void *arg)
{
    lk_addr status = lk_trio_attr(py, task, "_cancel_status");
    for (int i = 0; status && i < MAX_SCOPES; i++) {
        lk_addr scope = lk_trio_attr(py, status, "_scope");
        if (scope)
            fn(py, scope, arg);
        status = outer(py, status, scope);
    }
    each_nursery(py, task, fn, arg);
    each_status(py, task, fn, arg);
}

bool lk_trio_outlasts(struct lk_py *py, const struct lk_pyframes *frames,
                      const struct lk_map *scopes)
{
    for (size_t i = 0; scopes->n && i < frames->n; i++)
        if (lk_py_frame_is(py, &frames->v[i], "_nested_child_finished", "/trio/_core/_run.py") &&
            lk_map_get(scopes, lk_py_local(py, &frames->v[i], "self"), NULL))
            return true;
    return false;
}

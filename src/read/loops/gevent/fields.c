/*
 * gevent 21 - 26 (src/gevent, .py and .pxd) is the same code compiled by Cython or not. Compiled
 * classes keep their attributes in C fields, whose order differs from release to release: the
 * fields are found by what they hold. A Waiter holds its hub and, while something is waited for by
 * it, the greenlet that does (_waiter.py).
 */
#include "read/loops/gevent/fields.h"

#include <string.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

enum { FIRST_WORD = 2 }; /* behind the object's header */

bool lk_gevent_words(struct lk_py *py, lk_addr obj, uint64_t ret[LK_GEVENT_WORDS])
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    memset(ret, 0, LK_GEVENT_WORDS * sizeof *ret);
    if (!ty || ty->basicsize < FIRST_WORD * 8)
        return false;
    return lk_read(py->t, obj, ret,
                   LK_MIN((size_t)ty->basicsize / 8, (size_t)LK_GEVENT_WORDS) * sizeof *ret);
}

lk_addr lk_gevent_field(struct lk_py *py, lk_addr obj, const char *name, enum lk_pykind kind)
{
    uint64_t w[LK_GEVENT_WORDS];
    lk_addr v = lk_py_attr(py, obj, name);
    if (v || !lk_gevent_words(py, obj, w))
        return v;
    for (size_t i = FIRST_WORD; i < LK_GEVENT_WORDS; i++)
        if (lk_py_plausible(w[i]) && lk_py_kind(py, w[i]) == kind)
            return w[i];
    return 0;
}

bool lk_gevent_is_waiter(struct lk_py *py, lk_addr obj)
{
    return lk_py_isinstance(py, obj, "gevent._gevent_c_waiter", "Waiter") ||
           lk_py_isinstance(py, obj, "gevent._waiter", "Waiter");
}

static bool is_greenlet(struct lk_py *py, lk_addr obj)
{
    return lk_py_isinstance(py, obj, NULL, "greenlet.greenlet");
}

static lk_addr greenlet_of_waiter(struct lk_py *py, lk_addr waiter)
{
    uint64_t w[LK_GEVENT_WORDS];
    lk_addr v = lk_py_attr(py, waiter, "greenlet");
    if (v)
        return is_greenlet(py, v) ? v : 0;
    if (!lk_gevent_words(py, waiter, w))
        return 0;
    for (size_t i = FIRST_WORD; i < LK_GEVENT_WORDS; i++)
        if (lk_py_plausible(w[i]) && is_greenlet(py, w[i]) &&
            !lk_py_isinstance(py, w[i], "gevent.hub", "Hub"))
            return w[i];
    return 0;
}

lk_addr lk_gevent_wakes(struct lk_py *py, lk_addr obj, bool *self)
{
    lk_addr func, of;
    *self = false;
    if (!lk_py_plausible(obj))
        return 0;
    if (lk_gevent_is_waiter(py, obj))
        return greenlet_of_waiter(py, obj);
    if (is_greenlet(py, obj)) {
        *self = true;
        return obj;
    }
    if (!lk_py_method(py, obj, &func, &of))
        return 0;
    if (lk_gevent_is_waiter(py, of))
        return greenlet_of_waiter(py, of);
    *self = strcmp(lk_py_callable_name(py, obj), "switch") != 0; /* kill, throw */
    return is_greenlet(py, of) ? of : 0;
}

/*
 * What code names (co_names): the strings by which a search for what is at hand asks instances, and
 * whether one of them ends a wait; whose classes those instances are of.
 */
#include "read/python/reader/hand_search.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/at_hand.h"
#include "read/python/reader/reader.h"

bool lk_hand_is_library(struct lk_py *py, lk_addr code)
{
    const struct lk_pycode *c = code ? lk_py_code(py, code) : NULL;
    return c && lk_py_is_library(py, c->code->file);
}

bool lk_hand_spend(struct lk_hand_search *x)
{
    if (*x->out->left == 0) {
        x->out->unknown = true;
        return false;
    }
    --*x->out->left;
    return true;
}

void lk_hand_each_class_attr(struct lk_py *py, const struct lk_pytype *ty,
                             bool (*fn)(struct lk_py *, lk_addr, lk_addr, void *), void *arg)
{
    int64_t n = ty && (ty->flags & LK_TPFLAG_HEAPTYPE) ? lk_py_len(py, ty->mro) : 0;
    for (int64_t i = 0; i < n && i < LK_PY_MAX_MRO; i++) {
        const struct lk_pytype *b = lk_py_type_at(py, lk_py_item(py, ty->mro, (size_t)i));
        if (b && b->dict && (b->flags & LK_TPFLAG_HEAPTYPE))
            lk_py_dict_each(py, b->dict, fn, arg);
    }
}

static bool is_own_method(struct lk_py *py, lk_addr key, lk_addr v, void *arg)
{
    (void)key;
    *(bool *)arg =
        lk_py_kind(py, v) == LK_PYK_FUNCTION && !lk_hand_is_library(py, lk_py_function_code(py, v));
    return !*(bool *)arg;
}

bool lk_hand_is_own_class(struct lk_py *py, struct lk_hand_search *x, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    uint64_t was;
    bool own = false;
    if (!ty || lk_map_get(x->out->owned, ty->addr, &was))
        return ty && was;
    lk_hand_each_class_attr(py, ty, is_own_method, &own);
    lk_map_put(x->out->owned, ty->addr, own);
    return own;
}

/* Globals are at everybody's hand: they count where the code names what would end a wait. */
static const char *const ends[] = { "cancel",  "set_result", "set_exception", "kill",
                                    "killall", "throw",      "getattr",       "methodcaller" };

void lk_hand_add_name(struct lk_py *py, struct lk_hand_search *x, lk_addr str)
{
    char name[32];
    if (!lk_map_add(&x->names, str, 1))
        return;
    if (x->names.n > LK_HAND_MAX_NAMES) {
        x->out->unknown |= x->calls;
        return;
    }
    if (!x->calls || !lk_py_str_raw(py, str, name, sizeof name))
        return;
    x->names_all |= strcmp(name, "all_tasks") == 0;
    for (size_t i = 0; i < LK_ARRAY_LEN(ends); i++)
        x->names_end |= strcmp(name, ends[i]) == 0;
}

lk_addr *lk_hand_names_of(struct lk_py *py, struct lk_hand_search *x, lk_addr code, size_t *n)
{
    lk_addr names = lk_py_ptr(py, code + py->layout.co_names);
    *n = 0;
    if (lk_py_kind(py, names) != LK_PYK_TUPLE || lk_py_len(py, names) > LK_HAND_MAX_NAMES) {
        x->out->unknown |= x->calls;
        return NULL;
    }
    return lk_py_items(py, names, LK_HAND_MAX_NAMES, n);
}

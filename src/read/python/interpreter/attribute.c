/* Attributes of instances and classes wherever CPython keeps them, and what a callable calls. */
#include "read/python/interpreter/attribute.h"

#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/dict.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

enum {
    OB_SIZE = 16,    /* PyVarObject */
    DESCRIBED = 16,  /* property.fget, staticmethod and classmethod: the callable */
    MEMBER_DEF = 40, /* PyMemberDescrObject.d_member */
    MEMBER_TYPE = 8, /* PyMemberDef.type, .offset (Include/descrobject.h) */
    MEMBER_OFFSET = 16,
    MEMBER_OBJECT = 6, /* T_OBJECT, T_OBJECT_EX */
    MEMBER_OBJECT_EX = 16,
    METHOD_FUNC = 16,   /* PyMethodObject */
    METHOD_SELF = 24,   /* ... and PyCFunctionObject.m_self */
    CFUNCTION_DEF = 16, /* PyCFunctionObject.m_ml: PyMethodDef, whose first word is the name */
    DESCR_TYPE = 16,    /* PyDescrObject.d_type (Include/cpython/descrobject.h) */
    DESCR_METHOD = 40,  /* PyMethodDescrObject.d_method */
    PARTIAL_FUNC = 16,
    PARTIAL_ARGS = 24,
    REFERENT = 16,   /* PyWeakReference.wr_object, PyCellObject.ob_ref */
    PRE_VALUES = 32, /* words before the object: Include/internal/pycore_object.h */
    PRE_DICT = 24,
    PRE_DICT_BARE = 8, /* ... of a free-threaded build, which has no PyGC_Head between */
};

#define TPFLAG_INLINE_VALUES (UINT64_C(1) << 2)
#define TPFLAG_MANAGED_DICT  (UINT64_C(1) << 4)
#define TPFLAG_HEAPTYPE      (UINT64_C(1) << 9)

/* ---- where an instance keeps its attributes ------------------------------------------- */

struct home {
    lk_addr dict;             /* or */
    struct lk_dict_view view; /* when values is set */
    lk_addr values;
};

/* tp_dictoffset: from the front, or, negative, from the end of a var-sized object
 * (_PyObject_DictPointer). */
static lk_addr dict_at_offset(struct lk_py *py, lk_addr obj, const struct lk_pytype *ty)
{
    int64_t off = ty->dictoffset, n;

    if (off < 0) {
        if (ty->itemsize <= 0 || ty->itemsize > 4096 ||
            !lk_read(py->t, lk_py_field(py, obj, OB_SIZE), &n, sizeof n))
            return 0;
        n = n < 0 ? -n : n;
        if (n < 0 || n > (1 << 20))
            return 0;
        off += (ty->basicsize + n * ty->itemsize + 7) & ~INT64_C(7);
    }
    return off > 0 && off < (1 << 30) ? lk_py_ptr(py, obj + (uint64_t)off) : 0;
}

static bool use_values(struct lk_py *py, const struct lk_pytype *ty, lk_addr values, struct home *h)
{
    lk_addr keys;

    if (!(ty->flags & TPFLAG_HEAPTYPE) ||
        !(keys = lk_py_ptr(py, ty->addr + py->layout.ht_cached_keys)) ||
        !lk_py_keys_open(py, keys, &h->view))
        return false;
    h->values = h->view.values = values + py->layout.values_array;
    return true;
}

static lk_addr managed_dict(const struct lk_py *py, lk_addr obj)
{
    return obj - (py->free_threaded ? PRE_DICT_BARE : PRE_DICT);
}

static bool managed_home(struct lk_py *py, lk_addr obj, const struct lk_pytype *ty, struct home *h)
{
    uint64_t w;
    uint8_t head[4];

    switch (py->layout.attr_kind) {
    case LK_ATTR_PREVALUES:
        if (!lk_read_u64(py->t, obj - PRE_VALUES, &w))
            return false;
        if (w)
            return use_values(py, ty, w, h);
        break;
    case LK_ATTR_TAGGED:
        if (!lk_read_u64(py->t, obj - PRE_DICT, &w))
            return false;
        if (w & 1)
            return use_values(py, ty, w + 1, h);
        break;
    case LK_ATTR_INLINE:
        if (!lk_read_u64(py->t, managed_dict(py, obj), &w))
            return false;
        if (w)
            break;
        /* _dictvalues: capacity, size, embedded, valid */
        if (!(ty->flags & TPFLAG_INLINE_VALUES) ||
            !lk_read(py->t, obj + (uint64_t)ty->basicsize, head, sizeof head) || head[3] != 1)
            return false;
        if (!use_values(py, ty, obj + (uint64_t)ty->basicsize, h))
            return false;
        h->view.n = LK_MIN(h->view.n, (int64_t)head[0]);
        return true;
    default: return false;
    }
    h->dict = lk_py_ptr(py, managed_dict(py, obj));
    return h->dict != 0;
}

static bool find_home(struct lk_py *py, lk_addr obj, const struct lk_pytype *ty, struct home *h)
{
    memset(h, 0, sizeof *h);
    if (py->layout.attr_kind != LK_ATTR_DICTOFFSET && (ty->flags & TPFLAG_MANAGED_DICT))
        return managed_home(py, obj, ty, h);
    h->dict = ty->dictoffset ? dict_at_offset(py, obj, ty) : 0;
    return h->dict != 0;
}

/* ---- slots --------------------------------------------------------------------------- */

bool lk_py_is_slot(struct lk_py *py, lk_addr descr)
{
    const struct lk_pytype *ty = lk_py_type(py, descr);
    return ty && strcmp(ty->name, "member_descriptor") == 0;
}

/* Where instances of a type so big hold the object of a member descriptor; 0. */
static uint64_t offset_of(struct lk_py *py, const struct lk_pytype *ty, lk_addr descr)
{
    uint64_t offset;
    uint32_t kind;
    lk_addr def;
    return lk_py_is_slot(py, descr) && (def = lk_py_ptr(py, lk_py_field(py, descr, MEMBER_DEF))) &&
                   lk_read_u32(py->t, def + MEMBER_TYPE, &kind) &&
                   (kind == MEMBER_OBJECT || kind == MEMBER_OBJECT_EX) &&
                   lk_read_u64(py->t, def + MEMBER_OFFSET, &offset) && offset >= 16 &&
                   offset < (uint64_t)ty->basicsize && offset + 8 <= (uint64_t)ty->basicsize
               ? offset
               : 0;
}

uint64_t lk_py_slot_offset(struct lk_py *py, lk_addr obj, lk_addr descr)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    return ty ? offset_of(py, ty, descr) : 0;
}

/* Offset of a member descriptor `name` found in the class or its bases; 0 when there is none. */
static uint64_t slot_offset(struct lk_py *py, const struct lk_pytype *ty, const char *name)
{
    uint64_t id = lk_hash_str(lk_hash_u64(LK_HASH_INIT, ty->addr), name), offset = 0;

    if (lk_map_get(&py->slots, id, &offset))
        return offset;
    const lk_addr descr = lk_py_type_attr(py, ty, name);
    offset = descr ? offset_of(py, ty, descr) : 0;
    lk_map_put(&py->slots, id, offset);
    return offset;
}

lk_addr lk_py_attr(struct lk_py *py, lk_addr obj, const char *name)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    struct home h;
    lk_addr v = 0;

    if (!ty)
        return 0;
    if (find_home(py, obj, ty, &h))
        v = h.values ? lk_py_view_get(py, &h.view, name) : lk_py_dict_get(py, h.dict, name);
    if (v)
        return v;
    uint64_t off = slot_offset(py, ty, name);
    return off ? lk_py_ptr(py, obj + off) : 0;
}

lk_addr lk_py_slot_value(struct lk_py *py, lk_addr obj, lk_addr name, lk_addr descr)
{
    char text[128];
    return lk_py_is_slot(py, descr) && lk_py_str_raw(py, name, text, sizeof text)
               ? lk_py_attr(py, obj, text)
               : 0;
}

lk_addr lk_py_described(struct lk_py *py, lk_addr value)
{
    const struct lk_pytype *ty = lk_py_type(py, value);
    const bool describes =
        ty && (strcmp(ty->name, "property") == 0 || strcmp(ty->name, "staticmethod") == 0 ||
               strcmp(ty->name, "classmethod") == 0);
    return describes ? lk_py_ptr(py, lk_py_field(py, value, DESCRIBED)) : value;
}

lk_addr lk_py_attr_dict(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    struct home h;
    return ty && find_home(py, obj, ty, &h) && !h.values ? h.dict : 0;
}

void lk_py_attr_each(struct lk_py *py, lk_addr obj,
                     bool (*fn)(struct lk_py *, lk_addr key, lk_addr value, void *), void *arg)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    struct home h;

    if (!ty || !find_home(py, obj, ty, &h))
        return;
    if (h.values)
        lk_py_view_each(py, &h.view, fn, arg);
    else
        lk_py_dict_each(py, h.dict, fn, arg);
}

struct value_search {
    lk_addr value;
    unsigned left;
    bool found;
};

static bool is_value(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct value_search *x = arg;
    (void)py, (void)key;
    x->found |= value == x->value;
    return !x->found && --x->left > 0;
}

bool lk_py_has_value(struct lk_py *py, lk_addr obj, lk_addr value, unsigned most)
{
    struct value_search x = { .value = value, .left = most };
    lk_py_attr_each(py, obj, is_value, &x);
    return x.found;
}

lk_addr lk_py_type_attr(struct lk_py *py, const struct lk_pytype *ty, const char *name)
{
    int64_t n = lk_py_kind(py, ty->mro) == LK_PYK_TUPLE ? lk_py_len(py, ty->mro) : 0;

    for (int64_t i = 0; i < n && i < LK_PY_MAX_MRO; i++) {
        const struct lk_pytype *b = lk_py_type_at(py, lk_py_item(py, ty->mro, (size_t)i));
        lk_addr v = b && b->dict ? lk_py_dict_get(py, b->dict, name) : 0;
        if (v)
            return v;
    }
    return 0;
}

/* ---- callables ----------------------------------------------------------------------- */

lk_addr lk_py_function_code(struct lk_py *py, lk_addr func)
{
    return lk_py_kind(py, func) == LK_PYK_FUNCTION ? lk_py_ptr(py, func + py->layout.func_code) : 0;
}

lk_addr lk_py_cell(struct lk_py *py, lk_addr cell)
{
    return lk_py_kind(py, cell) == LK_PYK_CELL ? lk_py_ptr(py, lk_py_field(py, cell, REFERENT)) : 0;
}

lk_addr lk_py_closure(struct lk_py *py, lk_addr func, const char *name)
{
    lk_addr code = lk_py_function_code(py, func);
    const struct lk_pycode *c = code ? lk_py_code(py, code) : NULL;

    if (!c || c->nfreevars == 0 || !lk_py_code_locals(py, c))
        return 0;
    lk_addr closure = lk_py_ptr(py, func + py->layout.func_closure);
    for (int i = 0; closure && i < c->nfreevars; i++)
        if (strcmp(c->local_names[c->nlocalsplus - c->nfreevars + i], name) == 0)
            return lk_py_cell(py, lk_py_item(py, closure, (size_t)i));
    return 0;
}

bool lk_py_method(struct lk_py *py, lk_addr m, lk_addr *func, lk_addr *self)
{
    enum lk_pykind k = lk_py_kind(py, m);

    if (k != LK_PYK_METHOD && k != LK_PYK_BUILTIN_METHOD)
        return false;
    *func = k == LK_PYK_METHOD ? lk_py_ptr(py, lk_py_field(py, m, METHOD_FUNC)) : 0;
    *self = lk_py_ptr(py, lk_py_field(py, m, METHOD_SELF));
    return *self != 0;
}

lk_addr lk_py_descr_type(struct lk_py *py, lk_addr descr)
{
    return lk_py_kind(py, descr) == LK_PYK_METHOD_DESCR
               ? lk_py_ptr(py, lk_py_field(py, descr, DESCR_TYPE))
               : 0;
}

/* It begins as a builtin function does (Cython/Utility/CythonFunction.c, 0.29 - 3.2). */
static bool is_cython_function(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = obj ? lk_py_type(py, obj) : NULL;
    return ty && strcmp(lk_last_part(ty->name), "cython_function_or_method") == 0;
}

const char *lk_py_callable_name(struct lk_py *py, lk_addr callable)
{
    enum lk_pykind k = lk_py_kind(py, callable);
    char buf[128];
    lk_addr def = 0, name = 0;

    if (k == LK_PYK_METHOD)
        callable = lk_py_ptr(py, lk_py_field(py, callable, METHOD_FUNC)),
        k = lk_py_kind(py, callable);
    if (k == LK_PYK_BUILTIN_METHOD || is_cython_function(py, callable))
        def = lk_py_ptr(py, lk_py_field(py, callable, CFUNCTION_DEF));
    else if (k == LK_PYK_METHOD_DESCR)
        def = lk_py_ptr(py, lk_py_field(py, callable, DESCR_METHOD));
    else if (k == LK_PYK_FUNCTION) {
        const char *s = lk_py_str(py, lk_py_ptr(py, callable + py->layout.func_name));
        return s ? s : "";
    }
    /* names of C functions are string literals: any alignment */
    if (!def || !lk_read_u64(py->t, def, &name) || !lk_read_cstr(py->t, name, buf, sizeof buf))
        return "";
    return lk_text_clean(lk_py_arena(py), buf, strlen(buf), sizeof buf);
}

bool lk_py_partial(struct lk_py *py, lk_addr p, lk_addr *func, lk_addr *args)
{
    if (lk_py_kind(py, p) != LK_PYK_PARTIAL)
        return false;
    *func = lk_py_ptr(py, lk_py_field(py, p, PARTIAL_FUNC));
    *args = lk_py_ptr(py, lk_py_field(py, p, PARTIAL_ARGS));
    return *func != 0;
}

lk_addr lk_py_weakref(struct lk_py *py, lk_addr ref)
{
    lk_addr obj =
        lk_py_kind(py, ref) == LK_PYK_WEAKREF ? lk_py_ptr(py, lk_py_field(py, ref, REFERENT)) : 0;
    return obj && !lk_py_is_none(py, obj) ? obj : 0; /* None: the object is dead */
}

/*
 * Type objects: what an object is, by its ob_type (Include/object.h) and the fields of PyTypeObject
 * that the layout names. A type is read once and compared again in each sample; names that a target
 * chose are clean text.
 */
#include "read/python/interpreter/type.h"

#include <stdlib.h>
#include <string.h>

enum {
    OB_TYPE = 8,     /* PyObject.ob_type */
    TYPE_HEAD = 368, /* bytes of a type object that hold all fields we use, up to tp_subclasses */
    MAX_TYPE_NAME = 200,
};

/* tp_flags: Include/object.h */
#define TPFLAG_LONG    (UINT64_C(1) << 24)
#define TPFLAG_LIST    (UINT64_C(1) << 25)
#define TPFLAG_TUPLE   (UINT64_C(1) << 26)
#define TPFLAG_BYTES   (UINT64_C(1) << 27)
#define TPFLAG_UNICODE (UINT64_C(1) << 28)
#define TPFLAG_DICT    (UINT64_C(1) << 29)
#define TPFLAG_TYPE    (UINT64_C(1) << 31)

static const struct {
    const char *name;
    enum lk_pykind kind;
} kind_names[] = {
    { "NoneType", LK_PYK_NONE },
    { "bool", LK_PYK_BOOL },
    { "float", LK_PYK_FLOAT },
    { "set", LK_PYK_SET },
    { "frozenset", LK_PYK_SET },
    { "collections.deque", LK_PYK_DEQUE },
    { "module", LK_PYK_MODULE },
    { "function", LK_PYK_FUNCTION },
    { "method", LK_PYK_METHOD },
    { "builtin_function_or_method", LK_PYK_BUILTIN_METHOD },
    { "builtin_method", LK_PYK_BUILTIN_METHOD },
    { "method_descriptor", LK_PYK_METHOD_DESCR },
    { "functools.partial", LK_PYK_PARTIAL },
    { "cell", LK_PYK_CELL },
    { "weakref", LK_PYK_WEAKREF },
    { "weakref.ReferenceType", LK_PYK_WEAKREF },
    { "code", LK_PYK_CODE },
    { "coroutine", LK_PYK_COROUTINE },
    { "generator", LK_PYK_GENERATOR },
    { "async_generator", LK_PYK_ASYNC_GEN },
    { "async_generator_asend", LK_PYK_ASYNC_GEN_ASEND },
    { "async_generator_athrow", LK_PYK_ASYNC_GEN_ATHROW },
    { "coroutine_wrapper", LK_PYK_CORO_WRAPPER },
    { "anext_awaitable", LK_PYK_ANEXT },
    { "_asyncio.FutureIter", LK_PYK_FUTUREITER },
    { "_asyncio.Task", LK_PYK_TASK },
    { "_asyncio.Future", LK_PYK_FUTURE },
    { "TaskStepMethWrapper", LK_PYK_TASKSTEP },
    { "_asyncio.TaskStepMethWrapper", LK_PYK_TASKSTEP },
    { "TaskWakeupMethWrapper", LK_PYK_TASKWAKEUP },
    { "_asyncio.TaskWakeupMethWrapper", LK_PYK_TASKWAKEUP },
    { "_thread.lock", LK_PYK_LOCK },
    { "_thread.RLock", LK_PYK_RLOCK },
    { "_queue.SimpleQueue", LK_PYK_SIMPLEQUEUE },
};

static const struct {
    uint64_t flag;
    enum lk_pykind kind;
} kind_flags[] = {
    { TPFLAG_LONG, LK_PYK_INT },    { TPFLAG_LIST, LK_PYK_LIST },   { TPFLAG_TUPLE, LK_PYK_TUPLE },
    { TPFLAG_BYTES, LK_PYK_BYTES }, { TPFLAG_UNICODE, LK_PYK_STR }, { TPFLAG_DICT, LK_PYK_DICT },
    { TPFLAG_TYPE, LK_PYK_TYPE },
};

struct lk_arena *lk_py_arena(struct lk_py *py)
{
    return py->s ? py->s->arena : py->arena;
}

lk_addr lk_py_ptr(struct lk_py *py, lk_addr at)
{
    uint64_t v;
    return lk_read_u64(py->t, at, &v) && lk_py_plausible(v) ? v : 0;
}

/* A metatype is `type` or derives from it. Before `type` itself is known its flag must do. */
static bool is_metatype(struct lk_py *py, lk_addr meta)
{
    const struct lk_layout *l = &py->layout;
    uint64_t flags;

    if (!lk_py_plausible(meta) || !lk_read_u64(py->t, meta + l->tp_flags, &flags) ||
        !(flags & TPFLAG_TYPE))
        return false;
    for (int i = 0; py->type_type && meta != py->type_type; i++)
        if (i == LK_PY_MAX_MRO || !(meta = lk_py_ptr(py, meta + l->tp_base)))
            return false;
    return true;
}

static bool name_ok(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    return true;
}

static enum lk_pykind kind_of(struct lk_py *py, const struct lk_pytype *ty, const char *name,
                              const struct lk_pytype *base)
{
    (void)py;
    /* A Python class may be called "cell": bare names count for static types only, heap types made
     * by C have dotted names. */
    if (!(ty->flags & LK_TPFLAG_HEAPTYPE) || strchr(name, '.') ||
        strcmp(name, "TaskStepMethWrapper") == 0)
        for (size_t i = 0; i < LK_ARRAY_LEN(kind_names); i++)
            if (strcmp(name, kind_names[i].name) == 0)
                return kind_names[i].kind;
    if (base && base->kind == LK_PYK_BOOL)
        return LK_PYK_INT;
    for (size_t i = 0; i < LK_ARRAY_LEN(kind_flags); i++)
        if (ty->flags & kind_flags[i].flag)
            return kind_flags[i].kind;
    return base ? base->kind : LK_PYK_OTHER;
}

static bool read_name(struct lk_py *py, lk_addr addr, char *ret, size_t max)
{
    const char *before = lk_reading(py->t, "a type's name");
    const bool ok = lk_read_cstr(py->t, addr, ret, max) && name_ok(ret);

    lk_reading(py->t, before);
    return ok;
}

static const struct lk_pytype *type_at(struct lk_py *py, lk_addr type, int depth);

/* Reads a type object anew; NULL when it is none. */
static struct lk_pytype *type_read(struct lk_py *py, lk_addr type, int depth)
{
    const struct lk_layout *l = &py->layout;
    uint8_t b[TYPE_HEAD + LK_PY_MORE_HEAD];
    char name[MAX_TYPE_NAME];
    const char *before = lk_reading(py->t, "a type");
    const bool read = lk_read(py->t, type, b, lk_py_field(py, 0, TYPE_HEAD));

    lk_reading(py->t, before);
    if (!read || !is_metatype(py, lk_word_at(b, lk_py_field(py, 0, OB_TYPE))))
        return NULL;
    struct lk_pytype ty = {
        .addr = type,
        .metatype = lk_word_at(b, lk_py_field(py, 0, OB_TYPE)),
        .name_addr = lk_word_at(b, l->tp_name),
        .basicsize = (int64_t)lk_word_at(b, l->tp_basicsize),
        .itemsize = (int64_t)lk_word_at(b, l->tp_itemsize),
        .flags = lk_word_at(b, l->tp_flags),
        .base = lk_word_at(b, l->tp_base),
        .dict = lk_word_at(b, l->tp_dict),
        .dictoffset = (int64_t)lk_word_at(b, l->tp_dictoffset),
        .mro = lk_word_at(b, l->tp_mro),
        .sample = py->sample,
    };
    if (ty.basicsize < 0 || ty.basicsize > (1 << 30) || (ty.base && !lk_py_plausible(ty.base)) ||
        !read_name(py, ty.name_addr, name, sizeof name))
        return NULL;
    struct lk_pytype *ret = lk_arena_alloc(py->arena, sizeof *ret);
    *ret = ty;
    ret->name = lk_text_clean(py->arena, name, strlen(name), sizeof name);
    lk_map_put(&py->types, type, (uintptr_t)ret); /* before its base: a base chain may be cyclic */
    ret->kind = kind_of(py, ret, name, ty.base ? type_at(py, ty.base, depth + 1) : NULL);
    return ret;
}

/* Once a sample a remembered type is compared with the target: classes die, addresses are used
 * again. */
static bool type_unchanged(struct lk_py *py, struct lk_pytype *ty)
{
    const struct lk_layout *l = &py->layout;
    uint8_t b[TYPE_HEAD + LK_PY_MORE_HEAD];

    if (!lk_read(py->t, ty->addr, b, lk_py_field(py, 0, TYPE_HEAD)) ||
        lk_word_at(b, lk_py_field(py, 0, OB_TYPE)) != ty->metatype ||
        lk_word_at(b, l->tp_name) != ty->name_addr ||
        (int64_t)lk_word_at(b, l->tp_basicsize) != ty->basicsize ||
        lk_word_at(b, l->tp_base) != ty->base || lk_word_at(b, l->tp_dict) != ty->dict)
        return false;
    ty->mro = lk_word_at(b, l->tp_mro);
    ty->sample = py->sample;
    return true;
}

static const struct lk_pytype *type_at(struct lk_py *py, lk_addr type, int depth)
{
    uint64_t found;

    if (!lk_py_plausible(type) || depth > LK_PY_MAX_MRO)
        return NULL;
    if (lk_map_get(&py->types, type, &found)) {
        struct lk_pytype *ty = (struct lk_pytype *)(uintptr_t)found;
        if (ty->sample == py->sample || type_unchanged(py, ty))
            return ty;
    }
    return type_read(py, type, depth);
}

const struct lk_pytype *lk_py_type_at(struct lk_py *py, lk_addr type)
{
    return type_at(py, type, 0);
}

const struct lk_pytype *lk_py_type(struct lk_py *py, lk_addr obj)
{
    uint64_t type;
    if (!lk_py_plausible(obj) || !lk_read_u64(py->t, lk_py_field(py, obj, OB_TYPE), &type))
        return NULL;
    return type_at(py, type, 0);
}

enum lk_pykind lk_py_kind(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    return ty ? (enum lk_pykind)ty->kind : LK_PYK_OTHER;
}

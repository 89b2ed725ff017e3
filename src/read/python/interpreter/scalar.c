/* Types and scalars: what an object is, and str, int, float, bool as values. */
#include "read/python/interpreter/interpreter.h"

#include <stdlib.h>

enum {
    OB_TYPE = 8,     /* PyObject.ob_type */
    OB_SIZE = 16,    /* PyVarObject.ob_size; length of str and bytes */
    TYPE_HEAD = 368, /* bytes of a type object that hold all fields we use, up to tp_subclasses */
    MAX_TYPE_NAME = 200,
    DIGIT_BITS = 30, /* PyLong_SHIFT of 64-bit builds */
};

/* tp_flags: Include/object.h */
#define TPFLAG_HEAPTYPE (UINT64_C(1) << 9)
#define TPFLAG_LONG     (UINT64_C(1) << 24)
#define TPFLAG_LIST     (UINT64_C(1) << 25)
#define TPFLAG_TUPLE    (UINT64_C(1) << 26)
#define TPFLAG_BYTES    (UINT64_C(1) << 27)
#define TPFLAG_UNICODE  (UINT64_C(1) << 28)
#define TPFLAG_DICT     (UINT64_C(1) << 29)
#define TPFLAG_TYPE     (UINT64_C(1) << 31)

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

/* Objects are 8-aligned at least and live in the lower half of the address space, above the first
 * page. */
static bool plausible(lk_addr a)
{
    return a >= LK_PAGE && (a & 7) == 0 && a < (UINT64_C(1) << 47);
}

lk_addr lk_py_ptr(struct lk_py *py, lk_addr at)
{
    uint64_t v;
    return lk_read_u64(py->t, at, &v) && plausible(v) ? v : 0;
}

/* ---- types --------------------------------------------------------------------------- */

static uint64_t word(const uint8_t *p, uint32_t off)
{
    uint64_t v;
    memcpy(&v, p + off, sizeof v);
    return v;
}

/* A metatype is `type` or derives from it. Before `type` itself is known its flag must do. */
static bool is_metatype(struct lk_py *py, lk_addr meta)
{
    const struct lk_layout *l = &py->layout;
    uint64_t flags;

    if (!plausible(meta) || !lk_read_u64(py->t, meta + l->tp_flags, &flags) ||
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
    if (!(ty->flags & TPFLAG_HEAPTYPE) || strchr(name, '.') ||
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

static const struct lk_pytype *type_at(struct lk_py *py, lk_addr type, int depth);

/* Reads a type object anew; NULL when it is none. */
static struct lk_pytype *type_read(struct lk_py *py, lk_addr type, int depth)
{
    const struct lk_layout *l = &py->layout;
    uint8_t b[TYPE_HEAD];
    char name[MAX_TYPE_NAME];

    if (!lk_read(py->t, type, b, sizeof b) || !is_metatype(py, word(b, OB_TYPE)))
        return NULL;
    struct lk_pytype ty = {
        .addr = type,
        .metatype = word(b, OB_TYPE),
        .name_addr = word(b, l->tp_name),
        .basicsize = (int64_t)word(b, l->tp_basicsize),
        .itemsize = (int64_t)word(b, l->tp_itemsize),
        .flags = word(b, l->tp_flags),
        .base = word(b, l->tp_base),
        .dict = word(b, l->tp_dict),
        .dictoffset = (int64_t)word(b, l->tp_dictoffset),
        .mro = word(b, l->tp_mro),
        .sample = py->sample,
    };
    if (ty.basicsize < 0 || ty.basicsize > (1 << 30) || (ty.base && !plausible(ty.base)) ||
        !lk_read_cstr(py->t, ty.name_addr, name, sizeof name) || !name_ok(name))
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
    uint8_t b[TYPE_HEAD];

    if (!lk_read(py->t, ty->addr, b, sizeof b) || word(b, OB_TYPE) != ty->metatype ||
        word(b, l->tp_name) != ty->name_addr ||
        (int64_t)word(b, l->tp_basicsize) != ty->basicsize || word(b, l->tp_base) != ty->base ||
        word(b, l->tp_dict) != ty->dict)
        return false;
    ty->mro = word(b, l->tp_mro);
    ty->sample = py->sample;
    return true;
}

static const struct lk_pytype *type_at(struct lk_py *py, lk_addr type, int depth)
{
    uint64_t found;

    if (!plausible(type) || depth > LK_PY_MAX_MRO)
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
    if (!plausible(obj) || !lk_read_u64(py->t, obj + OB_TYPE, &type))
        return NULL;
    return type_at(py, type, 0);
}

enum lk_pykind lk_py_kind(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    return ty ? (enum lk_pykind)ty->kind : LK_PYK_OTHER;
}

/* "Task" of "_asyncio.Task". */
static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot[1] ? dot + 1 : name;
}

const char *lk_py_type_module(struct lk_py *py, const struct lk_pytype *cty)
{
    /* the memo is ours: types are made by type_read only */
    struct lk_pytype *ty = (struct lk_pytype *)cty;
    char buf[256];

    if (ty->module)
        return ty->module;
    lk_addr v = ty->dict ? lk_py_dict_get(py, ty->dict, "__module__") : 0;
    if (v && lk_py_str_raw(py, v, buf, sizeof buf))
        ty->module = lk_text_clean(py->arena, buf, strlen(buf), sizeof buf);
    else if (last_part(ty->name) != ty->name)
        ty->module =
            lk_arena_strndup(py->arena, ty->name, (size_t)(last_part(ty->name) - ty->name - 1));
    else
        ty->module = ty->flags & TPFLAG_HEAPTYPE ? "" : "builtins";
    return ty->module;
}

static bool type_is(struct lk_py *py, const struct lk_pytype *ty, const char *module,
                    const char *name)
{
    if (strcmp(ty->name, name) != 0 && strcmp(last_part(ty->name), name) != 0)
        return false;
    return !module || strcmp(lk_py_type_module(py, ty), module) == 0;
}

static bool derives(struct lk_py *py, const struct lk_pytype *ty, const char *module,
                    const char *name)
{
    int64_t n = lk_py_kind(py, ty->mro) == LK_PYK_TUPLE ? lk_py_len(py, ty->mro) : 0;

    for (int64_t i = 0; i < n && i < LK_PY_MAX_MRO; i++) {
        const struct lk_pytype *b = lk_py_type_at(py, lk_py_item(py, ty->mro, (size_t)i));
        if (b && type_is(py, b, module, name))
            return true;
    }
    for (int i = 0; n <= 0 && ty && i < LK_PY_MAX_MRO; i++) {
        if (type_is(py, ty, module, name))
            return true;
        ty = ty->base ? lk_py_type_at(py, ty->base) : NULL;
    }
    return false;
}

bool lk_py_isinstance(struct lk_py *py, lk_addr obj, const char *module, const char *name)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    uint64_t known;

    if (!ty)
        return false;
    uint64_t key =
        lk_hash_str(lk_hash_str(lk_hash_u64(LK_HASH_INIT, ty->addr), module ? module : "*"), name);
    if (lk_map_get(&py->instances, key, &known))
        return known;
    bool is = derives(py, ty, module, name);
    lk_map_put(&py->instances, key, is);
    return is;
}

const char *lk_py_class_name(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    uint64_t known;

    if (!ty)
        return "?";
    if (lk_map_get(&py->class_names, ty->addr, &known))
        return (const char *)(uintptr_t)known;
    const char *module = lk_py_type_module(py, ty), *name = last_part(ty->name);
    const char *full = !*module || strcmp(module, "builtins") == 0
                           ? lk_arena_strdup(lk_py_arena(py), name)
                           : lk_arena_printf(lk_py_arena(py), "%s.%s", module, name);
    lk_map_put(&py->class_names, ty->addr, (uintptr_t)full);
    return full;
}

/* ---- str ----------------------------------------------------------------------------- */

struct str_view {
    int64_t length; /* code points */
    unsigned width; /* bytes of one */
    bool ascii;
    lk_addr data;
};

/* PyASCIIObject: length +16, state +32 (bits 2-4 kind, 5 compact, 6 ascii) in all versions. */
static bool str_open(struct lk_py *py, lk_addr obj, struct str_view *v)
{
    const struct lk_layout *l = &py->layout;
    uint8_t b[40];
    uint32_t state;

    if (!plausible(obj) || !lk_read(py->t, obj, b, sizeof b))
        return false;
    const struct lk_pytype *ty = type_at(py, word(b, OB_TYPE), 0);
    if (!ty || ty->kind != LK_PYK_STR)
        return false;
    v->length = (int64_t)word(b, OB_SIZE);
    memcpy(&state, b + 32, sizeof state);
    v->width = state >> 2 & 7;
    v->ascii = state >> 6 & 1;
    if (v->length < 0 || v->length > (INT64_C(1) << 40) ||
        (v->width != 1 && v->width != 2 && v->width != 4))
        return false;
    if (state >> 5 & 1)
        v->data = obj + (v->ascii ? l->str_data_ascii : l->str_data_compact);
    /* instance of a subclass: PyUnicodeObject.data is a pointer right after the compact header */
    else
        v->data = 0;
    if (!v->data && !lk_read_u64(py->t, obj + l->str_data_compact, &v->data))
        return false;
    return v->data != 0;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c >= 0xdc80 && c <= 0xdcff) { /* os.fsdecode (PEP 383): a byte that was no UTF-8 */
        out[0] = (char)(c & 0xff);
        return 1;
    }
    if (c > 0x10ffff)
        c = 0xfffd;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

const char *lk_py_str(struct lk_py *py, lk_addr obj)
{
    struct str_view v;
    uint8_t raw[(LK_PY_MAX_STR + 1) * 4];
    char out[sizeof raw];
    size_t len = 0;

    if (!str_open(py, obj, &v))
        return NULL;
    /* one more than fits shows that it was cut */
    size_t n = (size_t)LK_MIN(v.length, LK_PY_MAX_STR + 1);
    if (!lk_read(py->t, v.data, raw, n * v.width))
        return NULL;
    if (v.ascii)
        return lk_text_clean(lk_py_arena(py), (const char *)raw, n, LK_PY_MAX_STR);
    for (size_t i = 0; i < n; i++) {
        uint32_t c = 0;
        memcpy(&c, raw + i * v.width, v.width);
        len += put_utf8(out + len, c);
    }
    return lk_text_clean(lk_py_arena(py), out, len, LK_PY_MAX_STR);
}

bool lk_py_str_raw(struct lk_py *py, lk_addr obj, char *ret, size_t max)
{
    struct str_view v;

    if (!str_open(py, obj, &v) || !v.ascii || (uint64_t)v.length >= max ||
        !lk_read(py->t, v.data, ret, (size_t)v.length))
        return false;
    ret[v.length] = '\0';
    return true;
}

bool lk_py_str_eq(struct lk_py *py, lk_addr obj, const char *s)
{
    struct str_view v;
    char buf[256];
    size_t n = strlen(s);

    if (!str_open(py, obj, &v) || !v.ascii || (uint64_t)v.length != n || n > sizeof buf)
        return false;
    return lk_read(py->t, v.data, buf, n) && memcmp(buf, s, n) == 0;
}

/* ---- numbers ------------------------------------------------------------------------- */

bool lk_py_int(struct lk_py *py, lk_addr obj, int64_t *ret)
{
    uint32_t digit[3];
    uint64_t head, value = 0, n;
    bool negative;
    enum lk_pykind k = lk_py_kind(py, obj);

    if ((k != LK_PYK_INT && k != LK_PYK_BOOL) || !lk_read_u64(py->t, obj + OB_SIZE, &head))
        return false;
    /* lv_tag: digits << 3 | sign, sign 0 positive, 1 zero, 2 negative */
    if (py->layout.int_tagged) {
        negative = (head & 3) == 2;
        n = (head & 3) == 1 ? 0 : head >> 3;
    } else { /* ob_size: its sign is the number's sign */
        negative = (int64_t)head < 0;
        n = negative ? -head : head;
    }
    if (n > LK_ARRAY_LEN(digit) || (n && !lk_read(py->t, obj + 24, digit, n * sizeof digit[0])))
        return false;
    for (size_t i = n; i-- > 0;) {
        if (digit[i] >> DIGIT_BITS || value >> (63 - DIGIT_BITS))
            return false;
        value = value << DIGIT_BITS | digit[i];
    }
    *ret = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

bool lk_py_float(struct lk_py *py, lk_addr obj, double *ret)
{
    return lk_py_kind(py, obj) == LK_PYK_FLOAT && lk_read(py->t, obj + 16, ret, sizeof *ret);
}

bool lk_py_number(struct lk_py *py, lk_addr obj, double *ret)
{
    int64_t i;

    if (lk_py_float(py, obj, ret))
        return true;
    if (!lk_py_int(py, obj, &i))
        return false;
    *ret = (double)i;
    return true;
}

enum lk_tri lk_py_bool(struct lk_py *py, lk_addr obj)
{
    int64_t i;
    return lk_py_int(py, obj, &i) ? (i != 0 ? LK_YES : LK_NO) : LK_TRI_UNKNOWN;
}

bool lk_py_is_none(struct lk_py *py, lk_addr obj)
{
    return lk_py_kind(py, obj) == LK_PYK_NONE;
}

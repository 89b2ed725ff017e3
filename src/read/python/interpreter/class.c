/*
 * Classes: the module and bases of an object's type (tp_mro, __module__ in tp_dict; typeobject.c),
 * to tell by name what it is an instance of.
 */
#include "read/python/interpreter/class.h"

#include <string.h>

#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "util/text.h"

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
    else if (lk_last_part(ty->name) != ty->name)
        ty->module =
            lk_arena_strndup(py->arena, ty->name, (size_t)(lk_last_part(ty->name) - ty->name - 1));
    else
        ty->module = ty->flags & LK_TPFLAG_HEAPTYPE ? "" : "builtins";
    return ty->module;
}

static bool type_is(struct lk_py *py, const struct lk_pytype *ty, const char *module,
                    const char *name)
{
    if (strcmp(ty->name, name) != 0 && strcmp(lk_last_part(ty->name), name) != 0)
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
    const char *module = lk_py_type_module(py, ty), *name = lk_last_part(ty->name);
    const char *full = !*module || strcmp(module, "builtins") == 0
                           ? lk_arena_strdup(lk_py_arena(py), name)
                           : lk_arena_printf(lk_py_arena(py), "%s.%s", module, name);
    lk_map_put(&py->class_names, ty->addr, (uintptr_t)full);
    return full;
}

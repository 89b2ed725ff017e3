/*
 * What an object is to the readers: its nearest class in the method resolution order that the class
 * table names. Remembered by type.
 */
#include "read/python/reader/known_class.h"

#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/class_table.h"
#include "util/text.h"

static size_t row_of_type(struct lk_py *py, const struct lk_pytype *ty)
{
    const char *name = lk_last_part(ty->name);
    for (size_t i = 0; i < lk_n_class_rows; i++)
        if (strcmp(name, lk_class_rows[i].name) == 0 &&
            strcmp(lk_py_type_module(py, ty), lk_class_rows[i].module) == 0)
            return i + 1;
    return 0;
}

/* The nearest class in the method resolution order that the table knows. */
static size_t find_row(struct lk_py *py, const struct lk_pytype *ty)
{
    int64_t n = lk_py_kind(py, ty->mro) == LK_PYK_TUPLE ? lk_py_len(py, ty->mro) : 0;
    if (n <= 0)
        return row_of_type(py, ty);
    for (int64_t i = 0; i < n && i < LK_PY_MAX_MRO; i++) {
        const struct lk_pytype *b = lk_py_type_at(py, lk_py_item(py, ty->mro, (size_t)i));
        size_t row = b ? row_of_type(py, b) : 0;
        if (row)
            return row;
    }
    return 0;
}

size_t lk_py_class_row(struct lk_py *py, const struct lk_pytype *cty)
{
    /* the memo is ours: types are made by type.c, never const */
    struct lk_pytype *ty = (struct lk_pytype *)cty;
    if (!ty->aio_row)
        ty->aio_row = (unsigned)find_row(py, ty) + 1;
    return ty->aio_row - 1;
}

enum lk_known_class lk_py_known_class(struct lk_py *py, lk_addr obj,
                                      const struct lk_class_row **row)
{
    const struct lk_pytype *ty = obj ? lk_py_type(py, obj) : NULL;
    size_t i = ty ? lk_py_class_row(py, ty) : 0;
    if (row)
        *row = i ? &lk_class_rows[i - 1] : NULL;
    return i ? lk_class_rows[i - 1].cls : LK_CLASS_OTHER;
}

const char *lk_py_class_label(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    return ty ? lk_arena_strdup(py->s->arena, lk_last_part(ty->name)) : "";
}

bool lk_py_is_waitable(struct lk_py *py, lk_addr obj)
{
    switch (lk_py_known_class(py, obj, NULL)) {
    case LK_CLASS_FUTURE:
    case LK_CLASS_PYFUTURE:
    case LK_CLASS_GATHER:
    case LK_CLASS_CFUTURE:
    case LK_CLASS_TASK:
    case LK_CLASS_PYTASK:
    case LK_CLASS_AIO_QUEUE: return true;
    default: return false;
    }
}

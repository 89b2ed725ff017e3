/*
 * Functions made in C that a frame may be calling: they have no frame of their own, but stand on
 * its value stack until they return. How much of that stack is in use is not known while it calls,
 * so that a name here is a candidate, no proof.
 */
#include "read/python/interpreter/builtin_calls.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "util/text.h"

enum {
    MAX_SLOTS = 256, /* of one value stack */
    C_SELF = 24,     /* PyCFunctionObject.m_self, then m_module (Include/cpython/methodobject.h) */
    C_MODULE = 32,
};

static const char *method_name(struct lk_py *py, const struct lk_pytype *ty, const char *name)
{
    return ty ? lk_arena_printf(py->s->arena, "%s:%s.%s", lk_py_type_module(py, ty),
                                lk_last_part(ty->name), name)
              : NULL;
}

/* "module:function", "module:Class.method"; "function" alone for a foreign function of ctypes,
 * whose name is a symbol. */
static const char *name_of(struct lk_py *py, lk_addr obj)
{
    if (lk_py_kind(py, obj) == LK_PYK_BUILTIN_METHOD) {
        const char *name = lk_py_callable_name(py, obj),
                   *module = lk_py_str(py, lk_py_ptr(py, lk_py_field(py, obj, C_MODULE)));
        lk_addr self = lk_py_ptr(py, lk_py_field(py, obj, C_SELF));
        if (self && !module)
            return method_name(py, lk_py_type(py, self), name);
        return module ? lk_arena_printf(py->s->arena, "%s:%s", module, name) : NULL;
    }
    if (lk_py_kind(py, obj) == LK_PYK_METHOD_DESCR)
        return method_name(py, lk_py_type_at(py, lk_py_descr_type(py, obj)),
                           lk_py_callable_name(py, obj));
    /* _ctypes.PyCFuncPtr; CDLL gives each its name (Lib/ctypes/__init__.py CDLL.__getitem__) */
    if (!lk_py_isinstance(py, obj, "_ctypes", "CFuncPtr") &&
        !lk_py_isinstance(py, obj, NULL, "_ctypes.PyCFuncPtr") &&
        !lk_py_isinstance(py, obj, NULL, "_ctypes.CFuncPtr"))
        return NULL;
    return lk_py_str(py, lk_py_attr(py, obj, "__name__"));
}

void lk_py_read_builtin_calls(struct lk_py *py, const struct lk_pyf *f, struct lk_thread *t)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    t->n_callees = 0;
    for (int i = (c ? LK_MIN(c->stacksize, MAX_SLOTS) : 0) - 1;
         i >= 0 && t->n_callees < LK_ARRAY_LEN(t->callees); i--) {
        lk_addr obj = lk_py_stack_slot(py, f, i);
        const char *name = obj ? name_of(py, obj) : NULL;
        if (name && *name)
            t->callees[t->n_callees++] = name;
    }
}

/*
 * Whether the chosen layout fits: facts that must hold of thread states (Include/cpython/pystate.h)
 * and of types (tp_basicsize) before anything is read by it.
 */
#include "read/python/interpreter/layout_check.h"

#include <stdio.h>
#include <string.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/main_interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

enum { CHECKED_THREADS = 32 };

/* Thread states link to their interpreter, and forward and back to each other. */
static bool check_threads(struct lk_py *py)
{
    const struct lk_layout *l = &py->layout;
    lk_addr ts = lk_py_ptr(py, py->interp + l->is_threads_head), prev = 0, back;

    for (int i = 0; ts && i < CHECKED_THREADS; i++) {
        if (lk_py_ptr(py, ts + l->ts_interp) != py->interp)
            return lk_py_fail(py, "check failed: a thread state does not name its interpreter");
        if (!lk_read_u64(py->t, ts, &back) || (prev && back != prev))
            return lk_py_fail(py,
                              "check failed: the list of thread states is not linked both ways");
        prev = ts;
        ts = lk_py_ptr(py, ts + l->ts_next);
    }
    return true;
}

static bool check_size(struct lk_py *py, const struct lk_pytype *ty, const char *name,
                       uint32_t expected)
{
    if (ty && ty->basicsize == expected)
        return true;
    return lk_py_fail(
        py,
        "check failed: objects of type %s are %lld bytes in this build of CPython %s, expected %u",
        name, ty ? (long long)ty->basicsize : -1, py->version, expected);
}

/* A type found as module attribute; NULL when that module was not imported. */
static const struct lk_pytype *known_type(struct lk_py *py, const char *module, const char *attr)
{
    lk_addr v = lk_py_module_attr(py, module, attr);
    return v ? lk_py_type_at(py, v) : NULL;
}

static bool check_types(struct lk_py *py)
{
    struct lk_layout *l = &py->layout;
    lk_addr sys = lk_py_dict_get(py, py->modules, "sys");
    lk_addr func = lk_py_module_attr(py, "_frozen_importlib", "_find_and_load");
    lk_addr code = func ? lk_py_function_code(py, func) : 0;
    const struct lk_pytype *code_type = code ? lk_py_type(py, code) : NULL, *ty;

    if (!sys || lk_py_is_none(py, sys)) /* finalize_modules() puts None in each module's place */
        return lk_py_fail_passing(py, "sys.modules holds no sys");
    if (!check_size(py, lk_py_type(py, sys), "module", l->module_size))
        return false;
    if (func && !check_size(py, lk_py_type(py, func), "function", l->function_size))
        return false;
    if (func && (!code_type || strcmp(code_type->name, "code") != 0))
        return lk_py_fail(py, "check failed: a function's code is not of type `code`");
    if (func && !check_size(py, code_type, "code", l->code_basicsize))
        return false;
    if ((ty = known_type(py, "types", "CoroutineType")) &&
        !check_size(py, ty, "coroutine", l->coroutine_size))
        return false;
    if ((ty = known_type(py, "collections", "deque")) &&
        !check_size(py, ty, "deque", l->deque_size))
        return false;
    /* These changed within a minor (3.13): the live type decides. */
    if ((ty = known_type(py, "_thread", "LockType")) && ty->kind == LK_PYK_LOCK)
        l->lock_size = (uint32_t)ty->basicsize;
    if ((ty = known_type(py, "_thread", "RLock")) && ty->kind == LK_PYK_RLOCK)
        l->rlock_size = (uint32_t)ty->basicsize;
    if ((ty = known_type(py, "_queue", "SimpleQueue")) && ty->kind == LK_PYK_SIMPLEQUEUE)
        l->simplequeue_size = (uint32_t)ty->basicsize;
    return true;
}

bool lk_layout_check(struct lk_py *py)
{
    unsigned hex;
    lk_addr sysdict = 0;

    if (!lk_py_enter_interpreter(py, &sysdict))
        return false;
    if (lk_py_hexversion(py, &hex) && hex != py->version_hex)
        return lk_py_fail(py, "check failed: sys.hexversion is %#x, the runtime says %#x", hex,
                          py->version_hex);
    py->debug_build = lk_py_dict_get(py, sysdict, "gettotalrefcount") != 0;
    snprintf(py->build, sizeof py->build, "%s", py->debug_build ? "debug" : "release");
    return check_threads(py) && check_types(py);
}

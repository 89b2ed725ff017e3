/*
 * The main interpreter, its sys.modules and sys.hexversion, in the layout that is being tried
 * (PyInterpreterState of Include/internal/pycore_interp.h).
 */
#include "read/python/interpreter/main_interpreter.h"

#include <stdarg.h>
#include <stdio.h>

#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

enum { MAX_INTERPRETERS = 4096 };

bool lk_py_fail(struct lk_py *py, const char *fmt, ...)
{
    const struct lk_failed_read failed = lk_read_failed(py->t);
    char text[sizeof py->why_not.text];
    va_list ap;
    py->passing = false;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return lk_error_read(&py->why_not, &failed, "%s", text);
}

bool lk_py_fail_passing(struct lk_py *py, const char *what)
{
    lk_py_fail(py, "the interpreter is just being set up or taken down: %s", what);
    py->passing = true;
    return false;
}

/* The main interpreter has id 0 and is the oldest, so the last of the list. */
static lk_addr main_interpreter(struct lk_py *py)
{
    const struct lk_layout *l = &py->layout;
    lk_addr is = lk_py_ptr(py, py->runtime + l->rt_interpreters_head), last = 0;
    int64_t id;

    for (int i = 0; is && i < MAX_INTERPRETERS; i++) {
        last = is;
        if (lk_read(py->t, is + l->is_id, &id, sizeof id) && id == 0)
            return is;
        is = lk_py_ptr(py, is + l->is_next);
    }
    return last;
}

/* Sets interp, modules and type_type; false when what is there is no interpreter in this layout. */
bool lk_py_enter_interpreter(struct lk_py *py, lk_addr *sysdict)
{
    lk_addr type;

    py->interp = main_interpreter(py);
    if (!py->interp)
        return lk_py_fail(py, "no interpreter was found in the Python runtime");
    *sysdict = lk_py_ptr(py, py->interp + py->layout.is_sysdict);
    py->modules = lk_py_ptr(py, py->interp + py->layout.is_modules);
    if (!*sysdict || !py->modules || !(type = lk_py_ptr(py, lk_py_field(py, *sysdict, 8))) ||
        !(py->type_type = lk_py_ptr(py, lk_py_field(py, type, 8))))
        return lk_py_fail_passing(py, "it has no sys module");
    const struct lk_pytype *meta = lk_py_type_at(py, py->type_type),
                           *dict = lk_py_type(py, *sysdict);
    if (!meta || meta->metatype != py->type_type || strcmp(meta->name, "type") != 0)
        return lk_py_fail(py, "check failed: the type of a type is not `type`");
    if (!dict || strcmp(dict->name, "dict") != 0 || lk_py_kind(py, py->modules) != LK_PYK_DICT)
        return lk_py_fail(py, "check failed: sys.modules is not a dict");
    return true;
}

/* The version as sys.hexversion has it, in the layout being tried. */
bool lk_py_hexversion(struct lk_py *py, unsigned *ret)
{
    lk_addr sysdict = 0, v;
    int64_t n;

    if (!lk_py_enter_interpreter(py, &sysdict) ||
        !(v = lk_py_dict_get(py, sysdict, "hexversion")) || !lk_py_int(py, v, &n) || n <= 0 ||
        n > UINT32_MAX)
        return false;
    *ret = (unsigned)n;
    return true;
}

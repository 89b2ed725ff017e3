/*
 * Which code is the standard library's: by the folders that the interpreter was started with; and
 * which an installed package's: by the folder's name (Lib/site.py, Debian's dist-packages).
 */
#include "read/python/interpreter/stdlib_paths.h"

#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

static bool is_installed(const char *file)
{
    return strstr(file, "/site-packages/") || strstr(file, "/dist-packages/");
}

static bool is_of_stdlib(const struct lk_py *py, const char *file)
{
    if (lk_starts_with(file, "<frozen "))
        return true;
    for (const char *p = py->stdlib; p && *p;) {
        size_t n = strcspn(p, ":");
        if (n && strncmp(file, p, n) == 0 && file[n] == '/')
            return !is_installed(file);
        p += n + (p[n] == ':');
    }
    return false;
}

bool lk_py_of_stdlib(struct lk_py *py, const struct lk_code *c)
{
    return is_of_stdlib(py, c->file);
}

bool lk_py_is_library(struct lk_py *py, const char *file)
{
    return is_installed(file) || is_of_stdlib(py, file);
}

/* A module without a file is a builtin one, or made by hand. */
enum lk_made_by lk_py_class_made_by(struct lk_py *py, const struct lk_pytype *ty)
{
    char file[LK_PY_MAX_STR];
    if (!(ty->flags & LK_TPFLAG_HEAPTYPE))
        return LK_MADE_BY_STDLIB;
    lk_addr path = lk_py_module_attr(py, lk_py_type_module(py, ty), "__file__");
    if (!path || !lk_py_str_raw(py, path, file, sizeof file))
        return LK_MADE_BY_PROGRAM;
    return is_installed(file)       ? LK_MADE_BY_PACKAGE
           : is_of_stdlib(py, file) ? LK_MADE_BY_STDLIB
                                    : LK_MADE_BY_PROGRAM;
}

/* Which code is the standard library's: by the folders that the interpreter was started with. */
#include "read/python/interpreter/stdlib_paths.h"

#include "read/python/interpreter/interpreter.h"

bool lk_py_of_stdlib(struct lk_py *py, const struct lk_code *c)
{
    if (lk_starts_with(c->file, "<frozen "))
        return true;
    for (const char *p = py->stdlib; p && *p;) {
        size_t n = strcspn(p, ":");
        if (n && strncmp(c->file, p, n) == 0 && c->file[n] == '/')
            return !strstr(c->file, "/site-packages/") && !strstr(c->file, "/dist-packages/");
        p += n + (p[n] == ':');
    }
    return false;
}

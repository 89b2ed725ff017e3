/*
 * Matching code objects, native functions, calls and packages with the catalog's rows and with
 * those of a user's file. Nothing else compares file names. Facts: code has qualified names from
 * CPython 3.11 on (co_qualname, Objects/codeobject.c); before, only a name's last part is compared.
 */
#include "diagnose/catalog/match.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

bool lk_path_ends_with(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n >= m && memcmp(path + n - m, suffix, m) == 0 && (n == m || path[n - m - 1] == '/');
}

/* The name as given, or its last part where the target has no more. */
static bool is_named(const struct lk_pattern *p, const struct lk_code *c, bool qualnames)
{
    if (!p->function || strcmp(p->function, c->function) == 0 ||
        strcmp(p->function, c->qualname) == 0)
        return true;
    const char *dot = qualnames ? NULL : strrchr(p->function, '.');
    return dot && strcmp(dot + 1, c->function) == 0;
}

static void mark_by(const struct lk_pattern *rows, size_t n, struct lk_code *c, bool qualnames)
{
    for (size_t i = 0; i < n; i++) {
        const struct lk_pattern *p = &rows[i];
        if (!is_named(p, c, qualnames) || !lk_path_ends_with(c->file, p->file))
            continue;
        c->marks |= p->marks;
        if (p->call)
            c->call = p->call;
    }
}

void lk_pattern_mark(const struct lk_patterns *user, struct lk_code *c, bool qualnames)
{
    c->marks = 0;
    c->call = NULL;
    mark_by(lk_known_functions, lk_n_known_functions, c, qualnames);
    if (user)
        mark_by(user->functions.v, user->functions.n, c, qualnames);
}

/* The pattern's name, a '*' at its end standing for any rest. */
static bool names_call(const struct lk_call_pattern *p, const char *name)
{
    size_t n = strlen(p->name);
    return n && p->name[n - 1] == '*' ? strncmp(p->name, name, n - 1) == 0
                                      : strcmp(p->name, name) == 0;
}

static const struct lk_call_pattern *find_call(const struct lk_call_pattern *rows, size_t n,
                                               const char *name, const char *module)
{
    for (size_t i = 0; name && i < n; i++)
        if (names_call(&rows[i], name) &&
            (!rows[i].module || (module && lk_starts_with(module, rows[i].module))))
            return &rows[i];
    return NULL;
}

const struct lk_call_pattern *lk_pattern_native(const struct lk_patterns *user,
                                                const struct lk_natframe *f, bool *by_user)
{
    const struct lk_call_pattern *p =
        user ? find_call(user->natives.v, user->natives.n, f->function, f->module) : NULL;
    if (by_user)
        *by_user = p != NULL;
    return p ? p : find_call(lk_known_natives, lk_n_known_natives, f->function, f->module);
}

bool lk_pattern_is_native_wrapper(const char *function, const char *module)
{
    return find_call(lk_known_wrappers, lk_n_known_wrappers, function ? function : "", module) !=
           NULL;
}

const struct lk_call_pattern *lk_pattern_callee(const struct lk_patterns *user, const char *callee)
{
    if (!user)
        return NULL;
    return strchr(callee, ':') ? find_call(user->builtins.v, user->builtins.n, callee, NULL)
                               : find_call(user->natives.v, user->natives.n, callee, "");
}

const struct lk_call_pattern *lk_pattern_syscall(const struct lk_patterns *user, const char *name)
{
    return user ? find_call(user->syscalls.v, user->syscalls.n, name, NULL) : NULL;
}

const struct lk_gil_keeper *lk_pattern_gil_keeper(const struct lk_natframe *f)
{
    for (size_t i = 0; f->function && f->module && i < lk_n_known_gil_keepers; i++)
        if (strcmp(f->function, lk_known_gil_keepers[i].function) == 0 &&
            lk_starts_with(f->module, lk_known_gil_keepers[i].module))
            return &lk_known_gil_keepers[i];
    return NULL;
}

struct name {
    const char *s;
    size_t n;
};

static int compare_name(const void *key, const void *row)
{
    const struct name *name = key;
    const char *s = *(const char *const *)row;
    for (size_t i = 0; i < name->n; i++) {
        unsigned char a = (unsigned char)name->s[i], b = (unsigned char)s[i];
        if (a >= 'A' && a <= 'Z')
            a += 'a' - 'A';
        if (a != b)
            return a < b ? -1 : 1;
    }
    return s[name->n] ? -1 : 0;
}

bool lk_pattern_is_framework(const char *name, size_t length)
{
    struct name key = { name, length };
    return bsearch(&key, lk_known_frameworks, lk_n_known_frameworks, sizeof *lk_known_frameworks,
                   compare_name) != NULL;
}

/* A folder of the path, or the module's file, is the package; a dotted name is a run of folders. */
static bool is_below_package(const char *path, const char *package)
{
    size_t n = strlen(package);
    for (const char *p = path; (p = strstr(p, package)); p++) {
        bool begins = p == path || p[-1] == '/';
        if (begins && (p[n] == '/' || strcmp(p + n, ".py") == 0 || strcmp(p + n, ".pyx") == 0))
            return true;
    }
    return false;
}

bool lk_pattern_is_users_framework(const struct lk_patterns *user, const char *path)
{
    for (size_t i = 0; user && i < user->packages.n; i++)
        if (is_below_package(path, user->packages.v[i]))
            return true;
    return false;
}

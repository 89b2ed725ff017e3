/*
 * Where the target imports from. The standard library: the folders of os and encodings, and what
 * Modules/getpath.py makes of the base prefix. The project's own: sys.path[0] (Python/pathconfig.c,
 * _PyPathConfig_ComputeSysPath0), and editable installs: folders that .pth files put behind
 * site-packages (Lib/site.py, addpackage), and the MAPPING of the finders that setuptools writes
 * (setuptools/command/editable_wheel.py, _FINDER_TEMPLATE).
 */
#include "read/python/interpreter/search_path.h"

#include <stdio.h>
#include <string.h>

#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "util/text.h"

enum { MAX_ENTRIES = 256 };

/* ---- the standard library ------------------------------------------------------------------- */

/* Adds one folder to a ':'-separated list, once. */
static void add_folder(struct lk_strbuf *b, const char *folder, const char *rest)
{
    char path[2 * LK_PY_MAX_STR];
    int n = snprintf(path, sizeof path, "%s%s", folder, rest);

    if (n <= 1 || (size_t)n >= sizeof path || path[0] != '/')
        return;
    for (const char *p = b->s; p && *p;) {
        const char *end = strchr(p, ':');
        size_t len = end ? (size_t)(end - p) : strlen(p);
        if (len == (size_t)n && memcmp(p, path, len) == 0)
            return;
        p = end ? end + 1 : NULL;
    }
    if (b->n)
        lk_strbuf_puts(b, ":");
    lk_strbuf_puts(b, path);
}

/* The folder of a module's file, `up` levels above the file. */
static void add_module_folder(struct lk_py *py, struct lk_strbuf *b, const char *module, int up)
{
    lk_addr v = lk_py_module_attr(py, module, "__file__");
    const char *file = v ? lk_py_str(py, v) : NULL;
    char path[LK_PY_MAX_STR + 8];

    if (!file || strlen(file) >= sizeof path)
        return;
    snprintf(path, sizeof path, "%s", file);
    for (int i = 0; i < up; i++) {
        char *slash = strrchr(path, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
    add_folder(b, path, "");
}

static void add_prefix(struct lk_py *py, struct lk_strbuf *b, lk_addr sysdict, const char *attr)
{
    lk_addr v = lk_py_dict_get(py, sysdict, attr), d = lk_py_dict_get(py, sysdict, "platlibdir");
    const char *prefix = v ? lk_py_str(py, v) : NULL, *lib = d ? lk_py_str(py, d) : NULL;
    unsigned major = py->version_hex >> 24, minor = py->version_hex >> 16 & 255;
    char rest[LK_PY_MAX_STR + 64];

    if (!prefix)
        return;
    snprintf(rest, sizeof rest, "/%s/python%u.%u", lib ? lib : "lib", major, minor);
    add_folder(b, prefix, rest);
    snprintf(rest, sizeof rest, "/%s/python%u.%u/lib-dynload", lib ? lib : "lib", major, minor);
    add_folder(b, prefix, rest);
    snprintf(rest, sizeof rest, "/%s/python%u%u.zip", lib ? lib : "lib", major, minor);
    add_folder(b, prefix, rest);
}

static void find_stdlib(struct lk_py *py, lk_addr sysdict)
{
    struct lk_strbuf b = { 0 };
    const char *dir;
    lk_addr v;

    add_module_folder(py, &b, "os", 1);
    add_module_folder(py, &b, "encodings", 2);
    if (sysdict && (v = lk_py_dict_get(py, sysdict, "_stdlib_dir")) && (dir = lk_py_str(py, v)))
        add_folder(&b, dir, "");
    if (sysdict) {
        add_prefix(py, &b, sysdict, "base_prefix");
        add_prefix(py, &b, sysdict, "base_exec_prefix");
    }
    if (b.n)
        py->stdlib = lk_arena_strdup(py->arena, b.s);
    lk_strbuf_deinit(&b);
}

/* ---- the project's own ---------------------------------------------------------------------- */

static bool is_site(const char *path)
{
    return lk_ends_with(path, "/site-packages") || lk_ends_with(path, "/dist-packages") ||
           strstr(path, "/site-packages/") || strstr(path, "/dist-packages/");
}

static void add_path_entries(struct lk_py *py, struct lk_strbuf *b, lk_addr list)
{
    size_t n = 0;
    const lk_addr *items = list ? lk_py_items(py, list, MAX_ENTRIES, &n) : NULL;
    bool behind_site = false;
    for (size_t i = 0; items && i < n; i++) {
        const char *path = lk_py_str(py, items[i]);
        if (path && is_site(path))
            behind_site = true;
        else if (path && (i == 0 || behind_site))
            add_folder(b, path, "");
    }
}

/* MAPPING: top-level module -> its folder or file. */
static bool add_mapping(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    const char *path = lk_py_str(py, value);
    (void)key;
    if (path)
        add_folder(arg, path, "");
    return true;
}

static void add_editable_finders(struct lk_py *py, struct lk_strbuf *b, lk_addr list)
{
    size_t n = 0;
    const lk_addr *items = list ? lk_py_items(py, list, MAX_ENTRIES, &n) : NULL;
    for (size_t i = 0; items && i < n; i++) {
        const struct lk_pytype *finder = lk_py_type_at(py, items[i]);
        const char *module = finder ? lk_py_type_module(py, finder) : NULL;
        const lk_addr mapping = module && lk_starts_with(module, "__editable___")
                                    ? lk_py_module_attr(py, module, "MAPPING")
                                    : 0;
        if (mapping)
            lk_py_dict_each(py, mapping, add_mapping, b);
    }
}

static void find_own_folders(struct lk_py *py, lk_addr sysdict)
{
    struct lk_strbuf b = { 0 };
    const lk_addr prefix = lk_py_dict_get(py, sysdict, "prefix");
    const char *text = prefix ? lk_py_str(py, prefix) : NULL;
    add_path_entries(py, &b, lk_py_dict_get(py, sysdict, "path"));
    add_editable_finders(py, &b, lk_py_dict_get(py, sysdict, "meta_path"));
    if (b.n)
        py->own_folders = lk_arena_strdup(py->arena, b.s);
    if (text)
        py->prefix = lk_arena_strdup(py->arena, text);
    lk_strbuf_deinit(&b);
}

void lk_py_find_folders(struct lk_py *py)
{
    const lk_addr sysdict = lk_py_ptr(py, py->interp + py->layout.is_sysdict);
    find_stdlib(py, sysdict);
    if (sysdict)
        find_own_folders(py, sysdict);
}

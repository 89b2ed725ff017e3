/*
 * Where the runtime is: the symbol _PyRuntime (Python/pylifecycle.c) of a mapped ELF file,
 * likeliest files first, and what the file's name and Py_Version
 * (Include/cpython/pylifecycle.h, 3.11+) tell of the version.
 */
#include "read/python/interpreter/find_runtime.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/native/elf/dynamic_symbol.h"
#include "read/python/interpreter/layout_table.h"
#include "util/text.h"

enum {
    MAX_MODULES = 1024,     /* ELF files looked at */
    MIN_RUNTIME_SIZE = 512, /* sizeof(_PyRuntimeState) is 656 at least */
};

static bool is_pypy(const char *name)
{
    return lk_starts_with(name, "libpypy") || lk_starts_with(name, "pypy");
}

/* The first mapping of every ELF file, and whether it may be of interest. */
void lk_runtime_files(struct lk_process *t, struct lk_runtime_files *c, bool *pypy)
{
    size_t n = 0;
    const struct lk_mapping *m = lk_process_maps(t, &n, NULL);

    for (size_t i = 0; m && i < n && c->n < MAX_MODULES; i++) {
        if (m[i].path[0] != '/' || m[i].offset != 0 || m[i].prot[0] != 'r')
            continue;
        const char *name = lk_base_name(m[i].path);
        if (is_pypy(name))
            *pypy = true;
        struct lk_runtime_file *k = lk_vec_push(c);
        k->m = &m[i];
        k->rank = lk_starts_with(name, "libpython") && strstr(name, ".so") ? 0
                  : c->n == 1 || lk_starts_with(name, "python")            ? 1
                                                                           : 2;
    }
}

/* "3.7" from ".../libpython3.7m.so.1.0" or "python3.7"; a hint for messages only. */
static bool version_hint(const char *path, char *ret, size_t size)
{
    const char *p = strstr(lk_base_name(path), "python");

    if (!p || !isdigit((unsigned char)p[6]) || p[7] != '.' || !isdigit((unsigned char)p[8]))
        return false;
    snprintf(ret, size, "%c.%d", p[6], atoi(p + 8) % 1000);
    return true;
}

bool lk_runtime_hint_is_old(const char *hint)
{
    int major = 0, minor = 0;
    return sscanf(hint, "%d.%d", &major, &minor) == 2 &&
           LK_PYVER(major, minor) < lk_layouts[0].version;
}

bool lk_runtime_is_named(const struct lk_runtime_file *c)
{
    return c->rank == 0 || (c->rank == 1 && lk_starts_with(lk_base_name(c->m->path), "python"));
}

/* Looks into one file. */
bool lk_runtime_probe(struct lk_process *t, const struct lk_runtime_file *c,
                      struct lk_runtime_found *f)
{
    struct lk_elf e;
    bool ok = lk_elf_open(&e, t, c->m);
    lk_addr at;

    f->runtime = ok ? lk_elf_dynsym(&e, "_PyRuntime") : 0;
    if (f->runtime && (at = lk_elf_dynsym(&e, "Py_Version")) != 0 &&
        !lk_read_u32(t, at, &f->py_version))
        f->py_version = 0;
    if (!f->runtime && c->rank < 2)
        f->runtime = lk_elf_symtab(t, c->m, "_PyRuntime", MIN_RUNTIME_SIZE);
    f->old = !f->runtime && ok && lk_elf_dynsym(&e, "Py_Initialize") &&
             lk_elf_dynsym(&e, "PyThreadState_Get");
    version_hint(c->m->path, f->hint, sizeof f->hint);
    if (ok)
        lk_elf_close(&e);
    return f->runtime || f->old;
}

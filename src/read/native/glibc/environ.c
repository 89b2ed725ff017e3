/*
 * The variable `environ` of the process, found as a dynamic symbol, and one variable in the array
 * it points to (environ(7)): /proc/PID/environ has only what execve(2) was given, and setenv(3)
 * since then replaced the array or its pointers (glibc stdlib/setenv.c, musl src/env/setenv.c).
 */
#include "read/native/glibc/environ.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/native/elf/dynamic_symbol.h"
#include "util/text.h"

enum { MAX_VARIABLES = 4096, MAX_NAME = 64, MAX_VALUE = 1024 };

/* glibc: libc.so.6, before 2.34 libc-2.33.so; musl is its own loader. */
static bool is_c_library(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return lk_starts_with(name, "libc.so") || lk_starts_with(name, "libc-2.") ||
           lk_starts_with(name, "ld-musl");
}

/*
 * The variable `environ`. A program that is not position independent and names it has the one that
 * counts (a copy relocation, psABI section 4.4.1), so the program is asked before the library.
 */
static lk_addr find_environ(struct lk_process *t)
{
    size_t n = 0, files = 0;
    const struct lk_mapping *m = lk_process_maps(t, &n, NULL);
    lk_addr ret = 0;
    for (size_t i = 0; m && i < n && !ret; i++) {
        struct lk_elf e;
        if (m[i].path[0] != '/' || m[i].offset != 0 || m[i].prot[0] != 'r')
            continue;
        const bool program = files++ == 0;
        if ((!program && !is_c_library(m[i].path)) || !lk_elf_open(&e, t, &m[i]))
            continue;
        ret = lk_elf_dynsym(&e, "environ");
        lk_elf_close(&e);
    }
    return ret;
}

/* The pointers up to the NULL that ends them; the array may be replaced by setenv while it is read.
 */
static size_t read_pointers(struct lk_process *t, lk_addr array, lk_addr *ret, size_t max)
{
    size_t n = 0;
    while (n < max && array + n * sizeof *ret >= array &&
           lk_read_u64(t, array + n * sizeof *ret, &ret[n]) && ret[n])
        n++;
    return n;
}

static const char *look_up(struct lk_process *t, struct lk_arena *a, const char *name)
{
    char wanted[MAX_NAME], text[MAX_NAME + MAX_VALUE];
    const int len = snprintf(wanted, sizeof wanted, "%s=", name);
    lk_addr array, where = find_environ(t);
    if (len <= 0 || len >= (int)sizeof wanted || !where || !lk_read_u64(t, where, &array) || !array)
        return NULL;
    lk_addr *v = lk_xcalloc(MAX_VARIABLES, sizeof *v);
    const size_t n = read_pointers(t, array, v, MAX_VARIABLES);
    const char *ret = NULL;
    lk_prefetch(t, v, n, (size_t)len);
    for (size_t i = 0; i < n && !ret; i++)
        if (lk_read(t, v[i], text, (size_t)len) && memcmp(text, wanted, (size_t)len) == 0 &&
            lk_read_cstr(t, v[i], text, sizeof text))
            ret = lk_text_clean(a, text + len, strlen(text + len), MAX_VALUE);
    lk_free(v);
    return ret;
}

/* The others may hold secrets: of all that is read for it, the answer alone is kept. */
const char *lk_environ_get(struct lk_process *t, struct lk_arena *a, const char *name)
{
    const struct lk_key key = { .text = name };
    const char *ret = NULL;
    int why;
    if (lk_process_recall(t, LK_FACT_VARIABLE, &key, a, &ret, &why))
        return why ? NULL : ret;
    lk_process_aside(t);
    ret = look_up(t, a, name);
    lk_process_aside_end(t);
    lk_process_keep(t, LK_FACT_VARIABLE, &key, 0, &ret);
    return ret;
}

/*
 * __cxa_demangle() of libstdc++ (Itanium C++ ABI, section 3.4), looked for only when a name needs
 * it: a machine without libstdc++ shows the names as they are.
 */
#include "read/native/elf/demangle.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/memory.h"
#include "util/text.h"

/*
 * libstdc++'s demangler bounds its depth but not its output, and each reference back can double
 * what was printed. So a name with many references, or with nested pack expansions, stays mangled.
 */
static bool is_harmless(const char *mangled)
{
    unsigned references = 0, packs = 0;
    for (const char *p = mangled + 2; *p; p++) {
        if ((p[0] == 'S' || p[0] == 'T') &&
            (p[1] == '_' || (p[1] >= '0' && p[1] <= '9') || (p[1] >= 'A' && p[1] <= 'Z')))
            references++;
        if (p[0] == 'D' && p[1] == 'p')
            packs++;
    }
    return references <= 24 && packs <= 2;
}

static void unload(void *library, size_t size)
{
    (void)size;
    dlclose(library);
}

void lk_demangle(struct lk_demangler *d, char *name, size_t max)
{
    int status = -1;
    if (!lk_starts_with(name, "_Z") || !is_harmless(name))
        return;
    if (!d->tried) {
        d->tried = true;
        d->library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
        if (d->library) {
            lk_hold(d->library, 0, unload);
            *(void **)&d->demangle = dlsym(d->library, "__cxa_demangle");
        }
    }
    if (!d->demangle)
        return;
    char *text = d->demangle(name, NULL, NULL, &status);
    if (text && !status)
        snprintf(name, max, "%s", text);
    free(text);
}

void lk_demangler_deinit(struct lk_demangler *d)
{
    if (!d->library)
        return;
    lk_let_go(d->library, unload);
    dlclose(d->library);
}

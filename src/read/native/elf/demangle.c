/*
 * libiberty's demanglers, those of binutils and gdb, linked: of C++ (Itanium C++ ABI, section 3.4;
 * Rust's older scheme is made of the same), as libstdc++'s __cxa_demangle() has it, and of Rust's
 * own scheme (RFC 2603, "v0").
 */
#include "read/native/elf/demangle.h"

#include <libiberty/demangle.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/text.h"

/*
 * The demanglers bound their depth but not their output, and each reference back can double what
 * was printed. So a name with many references, or with nested pack expansions, stays mangled.
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

static bool is_harmless_rust(const char *mangled)
{
    unsigned references = 0;
    for (const char *p = mangled + 2; *p; p++)
        references += *p == 'B';
    return references <= 32;
}

bool lk_demangle(char *name, size_t max)
{
    const bool rust = lk_starts_with(name, "_R");
    char *text = NULL;
    if (rust && is_harmless_rust(name))
        text = rust_demangle(name, DMGL_PARAMS);
    else if (lk_starts_with(name, "_Z") && is_harmless(name))
        text = cplus_demangle_v3(name, DMGL_PARAMS | DMGL_TYPES);
    const bool told = text != NULL;
    if (told)
        snprintf(name, max, "%s", text);
    free(text);
    return rust && told;
}

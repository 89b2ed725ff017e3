/* Names of C++ and of Rust (legacy scheme) as they stand in the source. */
#ifndef LK_READ_NATIVE_ELF_DEMANGLE_H
#define LK_READ_NATIVE_ELF_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

/** To be zeroed before its first use. */
struct lk_demangler {
    char *(*demangle)(const char *, char *, size_t *, int *);
    bool tried;
    void *library;
};

/** Replaces a mangled name of at most max bytes; leaves every other one. */
void lk_demangle(struct lk_demangler *d, char *name, size_t max);
void lk_demangler_deinit(struct lk_demangler *d);

#endif

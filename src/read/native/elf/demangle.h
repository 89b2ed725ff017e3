/* Names of C++ and of Rust as they stand in the source. */
#ifndef LK_READ_NATIVE_ELF_DEMANGLE_H
#define LK_READ_NATIVE_ELF_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

/** Replaces a mangled name of at most max bytes; leaves every other one. @return it was one of
 * Rust's own scheme, whose text no longer tells it from one of C++ */
bool lk_demangle(char *name, size_t max);

#endif

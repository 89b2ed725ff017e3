/*
 * Whose code a native frame is, and which frame of a native stack is to blame. Pure.
 */
#ifndef LK_DIAGNOSE_CATALOG_NATIVE_CODE_H
#define LK_DIAGNOSE_CATALOG_NATIVE_CODE_H

#include "snapshot/snapshot.h"

/** In rising order of how much a frame of it is to blame. */
enum lk_native_code {
    LK_NATIVE_SYSTEM = 0, /* the C library, the interpreter */
    LK_NATIVE_WRAPPER,    /* a header of the system or compiler, a loop library's or a runtime's own
                             functions */
    LK_NATIVE_LIBRARY,    /* what is linked to the program */
    LK_NATIVE_PROJECT,    /* of the program itself, or with a source outside of /usr */
};

/** exe: path of the process's program, or NULL. */
enum lk_native_code lk_native_code_of(const struct lk_natframe *f, const char *exe);
/** The innermost frame of the kind that is to blame most; of the system's alone the nearest outside
 * of the library that blocks. NULL for an empty stack. */
const struct lk_natframe *lk_native_culprit(const struct lk_natstack *st, const char *exe);
/** CPython's evaluation of Python code (Python/ceval.c): what it calls, and what calls it, are
 * different calls of the program. */
bool lk_native_is_evaluation(const char *function);
/** The thread runs a program's tests, each of which has a thread of its own. */
bool lk_native_runs_tests(const struct lk_natstack *st);

#endif

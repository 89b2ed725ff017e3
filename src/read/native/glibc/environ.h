/* The environment as the C library has it now, which is what getenv() in the process would say. */
#ifndef LK_READ_NATIVE_GLIBC_ENVIRON_H
#define LK_READ_NATIVE_GLIBC_ENVIRON_H

#include "process/process.h"

/**
 * The value of one variable of the target's environment as it is now, os.environ's changes included
 * (posixmodule.c hands them to setenv); cleaned, in the arena. NULL: not set, or not readable.
 * Nothing else of the environment is kept.
 */
const char *lk_environ_get(struct lk_process *t, struct lk_arena *a, const char *name);

#endif

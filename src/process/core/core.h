/*
 * A process as it was when its core was written: one moment, and nothing but what is in the core
 * and in the files that it leaves out. Whatever else is asked is not known (ENODATA): nothing of
 * the machine at hand is asked in its stead.
 */
#ifndef LK_PROCESS_CORE_CORE_H
#define LK_PROCESS_CORE_CORE_H

#include "process/process.h"

/** Which core, and where files are looked for (files.h); NULL: not there. */
struct lk_core_request {
    const char *file; /* may be compressed: zstd, lz4, gzip, xz */
    const char *exe, *sysroot;
    bool debuginfod;
};

/** NULL with err, one line. */
struct lk_process *lk_core_open(const struct lk_core_request *r, struct lk_error *err);

#endif

/* The file of a core, unpacked where it is compressed. */
#ifndef LK_PROCESS_CORE_UNPACK_H
#define LK_PROCESS_CORE_UNPACK_H

#include <sys/stat.h>

#include "util/base.h"

/**
 * A descriptor of the plain core, held; -1 with err. What is compressed (zstd, lz4, gzip, xz) goes
 * into a file without a name in TMPDIR, else /var/tmp. One that ends too early gives what came
 * before.
 * @param name of the file, as it is to be shown.
 * @param st of the file itself.
 */
int lk_core_unpack(const char *file, const char *name, struct stat *st, struct lk_error *err);

#endif

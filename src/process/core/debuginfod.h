/* Programs and libraries by their build id from debuginfod servers. */
#ifndef LK_PROCESS_CORE_DEBUGINFOD_H
#define LK_PROCESS_CORE_DEBUGINFOD_H

#include <stdbool.h>

/** Runs debuginfod-find(1), which asks the servers that DEBUGINFOD_URLS names. id: hexadecimal.
 * A descriptor for reading; -1: not found, or there is no such program, or (late) it did not answer
 * within a minute. */
int lk_debuginfod_find(const char *id, bool *late);

#endif

/* Programs and libraries by their build id from debuginfod servers. */
#ifndef LK_PROCESS_CORE_DEBUGINFOD_H
#define LK_PROCESS_CORE_DEBUGINFOD_H

/** Runs debuginfod-find(1), which asks the servers that DEBUGINFOD_URLS names. id: hexadecimal.
 * A descriptor for reading; -1: not found within a minute, or there is no such program. */
int lk_debuginfod_find(const char *id);

#endif

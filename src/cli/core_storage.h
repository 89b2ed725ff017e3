/* Where systemd-coredump keeps cores. */
#ifndef LK_CLI_CORE_STORAGE_H
#define LK_CLI_CORE_STORAGE_H

#include <stddef.h>

/** The newest core, of a process of that name or number; which may be NULL: of any. @return 0, or
 * the exit status after a complaint. */
int core_storage_last(const char *which, char *path, size_t size);

#endif

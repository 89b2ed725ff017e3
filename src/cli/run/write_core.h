/* Core files of processes that are about to be ended, by gdb's gcore. */
#ifndef LK_CLI_RUN_WRITE_CORE_H
#define LK_CLI_RUN_WRITE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { CORE_WRITE_MS = 60000 }; /* for each file */

/** Whether they could be written into dir now: a folder of the user's own, closed to others, or to
 * be made. Says why not. Nothing stays behind. */
bool core_try(const char *dir);

/** Writes dir/core.PID for each process, in CORE_WRITE_MS each; says what went wrong. *stop
 * becoming nonzero ends it early.
 */
void core_write(const char *dir, const pid_t *pids, size_t n, const volatile int *stop);

#endif

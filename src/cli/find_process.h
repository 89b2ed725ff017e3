/* Processes by the name that people call them by. */
#ifndef LK_CLI_FIND_PROCESS_H
#define LK_CLI_FIND_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * The process that name means: of those that are called so, or else that are in the systemd unit of
 * that name, the one that all others descend from. *several: there are others that do.
 * @return 0; EXIT_NO_REPORT after a complaint where there is none; EXIT_USAGE where there are
 * several, which are listed on stderr.
 */
int find_process(const char *name, pid_t *ret, bool *several);

/** Whether there is any. */
bool find_process_any(const char *name);

#endif

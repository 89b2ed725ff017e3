/* `loopknot run` once its command line is understood: starts the command, watches it, ends it when
 * it hangs. */
#ifndef LK_CLI_RUN_SUPERVISOR_H
#define LK_CLI_RUN_SUPERVISOR_H

#include <stdbool.h>

#include "cli/options.h"

enum { EXIT_HUNG = 124, EXIT_FAILED = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

struct run {
    struct common common;
    unsigned timeout_ms, stall_ms, grace_ms; /* the first two: 0 is never */
    bool stall_kill;
    int signal;          /* that asks the tree to end before SIGTERM does; 0 none */
    const char *core;    /* folder, or NULL */
    const char *capture; /* file, or NULL */
    char **command;
};

/** @return the exit status. */
int supervise(const struct run *r);

#endif

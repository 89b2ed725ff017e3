/*
 * The end of a command: whether something proven holds it up, and where it stands. Asked by
 * `loopknot run` of the reports of a whole tree.
 */
#ifndef LK_EXAMINE_COMMAND_END_H
#define LK_EXAMINE_COMMAND_END_H

#include <sys/types.h>

#include "report/report.h"

struct lk_command_end {
    bool held; /* its main thread never goes on: a deadlock, and no finite timer, on the way */
    /* held: a one-shot timer of a process on the way, which may end that process: time left,
     * LK_UNKNOWN none */
    int64_t spare_ms;
    /* not held, though a deadlock is proven: time left of the timer on the way; LK_UNKNOWN */
    int64_t left_ms;
    const struct lk_finding *finding; /* held: by what; else the worst of all; NULL */
    int64_t still_ms; /* main threads there, and of what it started, have not moved for so long */
    bool runs;        /* some thread of some process does: it may want nothing but a processor */
    size_t at;        /* report of the process in which it stands; n for none */
};

/** root is the command, or (the reports have no such process) whoever started it. */
struct lk_command_end lk_command_end(const struct lk_report *reports, size_t n, pid_t root);

/**
 * The command is ended for standing still, or for running too long: where it stood becomes a
 * finding (LK409), unless one as bad says why. False: it has.
 */
bool lk_command_stood_still(struct lk_report *reports, size_t n, pid_t root, bool too_long,
                            int64_t ms);

#endif

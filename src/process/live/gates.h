/*
 * Every gate that stands between us and a process, whether it is open, and the smallest way to open
 * it: what `loopknot doctor` shows. A refusal (permission.h) names the first one that is shut.
 */
#ifndef LK_PROCESS_LIVE_GATES_H
#define LK_PROCESS_LIVE_GATES_H

#include <sys/types.h>

#include "util/base.h"

enum { LK_MAX_GATES = 16 };

struct lk_gate {
    const char *name;
    bool shut;
    char fact[240], mend[400]; /* mend: "" where nothing is to be done */
};

struct lk_gates {
    struct lk_gate v[LK_MAX_GATES];
    size_t n;
    bool readable;           /* the process may be examined */
    struct lk_error refusal; /* why not; of one that is, what of it is kept shut: code 0 nothing */
};

/** pid 0: what stands before processes of others in general. False: there is no such process, and
 * ret->refusal says so. */
bool lk_gates_look(pid_t pid, struct lk_gates *ret);

#endif

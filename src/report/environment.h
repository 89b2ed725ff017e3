/* Where a process ran, as rows of names and texts: for the formats that have room for it. */
#ifndef LK_REPORT_ENVIRONMENT_H
#define LK_REPORT_ENVIRONMENT_H

#include "report/enum_names.h"

enum { LK_ENVIRONMENT_ROWS = 24 };
struct lk_environment_row {
    const char *name, *text;
    bool code;  /* there to be copied */
    bool first; /* also on a first screen that tells of the process */
};

/** What is known; ret has room for LK_ENVIRONMENT_ROWS. Returns how many. */
size_t lk_environment(struct lk_arena *a, const struct lk_snapshot *s,
                      struct lk_environment_row *ret);

#endif

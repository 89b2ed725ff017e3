/*
 * What a set of reports is folded to: processes that are in the same state for the same reason
 * (equal verdict, role, command and fingerprints of findings) form a group, of which one is told
 * whole. Worst group first.
 */
#ifndef LK_REPORT_PROCESS_GROUPS_H
#define LK_REPORT_PROCESS_GROUPS_H

#include "report/report.h"

struct lk_process_groups_group {
    const char *role; /* of its members in the tree: "gunicorn worker"; NULL: none that is known */
    size_t *members;  /* indices of reports, in their order; the first is the example */
    size_t n;
};

struct lk_process_groups {
    struct lk_process_groups_group *groups;
    size_t n_groups;
};

/** The set lives in arena. apart: nothing is folded, each process is a group. */
struct lk_process_groups
lk_process_groups_create(struct lk_arena *a, const struct lk_report *reports, size_t n, bool apart);
/** Indices of the reports as they were examined, but causes before victims: in the arena. */
size_t *lk_process_order(struct lk_arena *a, const struct lk_report *reports, size_t n);
/** "pid 12, 13 and 14"; more than `most` are counted. */
const char *lk_process_groups_pids(struct lk_arena *a, const struct lk_report *reports,
                                   const struct lk_process_groups_group *g, size_t most);

#endif

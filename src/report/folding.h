/*
 * What of a report is shown one by one and what is folded: entities of a kind are grouped by what a
 * reader would call identical (their stack, state, loop); where a kind has more entities than the
 * threshold only some of each group are shown. Everything a finding names, and everything that a
 * shown entity refers to, is always shown.
 */
#ifndef LK_REPORT_FOLDING_H
#define LK_REPORT_FOLDING_H

#include "report/report.h"

#define LK_N_KINDS       (LK_KIND_EXTERN + 1)
#define LK_VIEW_LIST_MAX 1000 /* longest list of references that a report writes out */

struct lk_group {
    uint32_t example; /* index of its first member, always shown */
    uint32_t count;   /* members in all */
    uint32_t hidden;  /* members that are not shown one by one */
    bool blamed;      /* a finding names its members */
};

struct lk_fold_kind {
    size_t n;                /* entities of this kind */
    bool folded;             /* some of them are not shown */
    bool *blamed;            /* [n] named by a finding */
    bool *shown;             /* [n] */
    uint32_t *next;          /* [n] next member of the same group; UINT32_MAX ends it */
    uint32_t *group_of;      /* [n] index of its group */
    struct lk_group *groups; /* in order of their first members */
    size_t n_groups;
};

struct lk_fold {
    const struct lk_snapshot *snap;
    struct lk_fold_kind kinds[LK_N_KINDS];
};

/**
 * Kinds with more than `threshold` entities are folded (SIZE_MAX: none). The view lives in arena.
 * findings may name long lists: their first LK_VIEW_LIST_MAX entries count, or all of them when
 * threshold is SIZE_MAX.
 */
struct lk_fold *lk_fold_create(struct lk_arena *a, const struct lk_report *r, size_t threshold);
bool lk_fold_shown(const struct lk_fold *v, struct lk_ref r);
bool lk_fold_blamed(const struct lk_fold *v, struct lk_ref r);

#endif

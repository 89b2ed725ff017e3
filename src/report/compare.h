/* Two reports, or sets of them: which findings are new, gone or still there, and of processes that
 * are in both what moved and what stands where it stood. */
#ifndef LK_REPORT_COMPARE_H
#define LK_REPORT_COMPARE_H

#include "report/report.h"

/** One side. */
struct lk_side {
    const struct lk_report *v;
    size_t n;
};

/** What is to be told of two sides. Findings are one where rule and fingerprint are. */
enum lk_change { LK_CHANGE_NEW = 0, LK_CHANGE_GONE, LK_CHANGE_STILL, LK_N_CHANGES };
struct lk_change_of_finding {
    enum lk_change change;
    const struct lk_report *report;          /* the later one that has it */
    const struct lk_finding *told;           /* of that report; never NULL */
    const struct lk_finding *before, *after; /* NULL: that side has it not */
};

/** Where a thread of a process that both sides show is now. */
enum lk_motion {
    LK_MOTION_STUCK =
        0,          /* not idle, at the same place, and never away from it as far as is known */
    LK_MOTION_BACK, /* not idle, at the same place, but it moved meanwhile */
    LK_MOTION_MOVED,
    LK_MOTION_IDLE, /* idle before and after */
    LK_MOTION_NEW,
    LK_MOTION_GONE,
    LK_N_MOTIONS
};
struct lk_motion_of_thread {
    enum lk_motion motion;
    const struct lk_report *report;
    const struct lk_thread *told;           /* the later one; never NULL */
    const struct lk_thread *before, *after; /* one may be NULL */
};

struct lk_comparison {
    struct lk_side a, b;
    enum lk_verdict verdict_a, verdict_b;
    struct lk_change_of_finding *findings; /* worst first */
    size_t n_findings;
    struct lk_motion_of_thread *threads; /* by process, in its order */
    size_t n_threads;
    size_t in_both; /* processes that both sides show */
    bool same;      /* verdict and findings are */
};

/** Lives in arena. */
struct lk_comparison lk_compare(struct lk_arena *a, struct lk_side before, struct lk_side after);

/**
 * Writes what differs, as "text" or "json".
 * @return 0, or -1 for a write error, or 2 for another format.
 */
int lk_comparison_write(const struct lk_comparison *c, const char *format,
                        const struct lk_render *how, FILE *out);

#endif

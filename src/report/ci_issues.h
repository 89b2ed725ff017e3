/*
 * What the formats for CI servers share: findings told once for all processes that have them.
 * Results belong to the given arena. Strings are safe (diagnose/wording/text.h) but not yet escaped
 * for any format.
 */
#ifndef LK_REPORT_CI_ISSUES_H
#define LK_REPORT_CI_ISSUES_H

#include "report/report.h"

/** A finding, and the reports that have it: one for each rule, severity and fingerprint. */
struct lk_ci_issue {
    const struct lk_report *report; /* the first that has it */
    const struct lk_finding *finding;
    int64_t *pids;
    size_t n;
};
struct lk_ci_issues {
    struct lk_ci_issue *v;
    size_t n;
};
/** Worst first, else in the order of the reports. */
struct lk_ci_issues lk_ci_issues(struct lk_arena *a, const struct lk_report *reports, size_t n);

/** "LK101 loop-waits-on-itself". */
const char *lk_ci_rule(struct lk_arena *a, const struct lk_finding *f);
/** The first culprit of which a source file is known; NULL when there is none. */
const struct lk_culprit *lk_ci_place(const struct lk_finding *f);
bool lk_ci_has_file(const struct lk_culprit *c);
/** "pid 4711", "pid 4711, 4712 and 4 more". */
const char *lk_ci_pids(struct lk_arena *a, const struct lk_ci_issue *i);
/** Some lines on a finding: what is wrong, where, since when, what to change, what may be ended
 * now. */
const char *lk_ci_message(struct lk_arena *a, const struct lk_ci_issue *i,
                          const struct lk_render *how);

/** The text report, at most about `most` bytes. */
const char *lk_ci_text(struct lk_arena *a, const struct lk_report *reports, size_t n, bool set,
                       const struct lk_render *in, size_t most);

#endif

/*
 * Test cases as CI servers show them, of one or more reports. Results belong to the given arena;
 * strings are safe but not yet escaped for any format.
 */
#ifndef LK_REPORT_CI_CASES_H
#define LK_REPORT_CI_CASES_H

#include "report/report.h"

/** A test case as a CI server shows it. */
struct lk_ci_case {
    const char *group, *name; /* junit's classname and name */
    /* how a running test is known: "PYTEST_CURRENT_TEST", ...; NULL: named after a command */
    const char *told_by;
    const char *phase; /* of the test: "setup", "teardown"; NULL itself */
    enum lk_verdict verdict;
    bool ended; /* for running too long, if nothing else */
    int64_t elapsed_ms;
    const struct lk_report *reports;
    size_t n;
};
struct lk_ci_cases {
    struct lk_ci_case *v;
    size_t n;
};
/**
 * With a command (how->command, how->test): a case for each running test whose process, or a
 * descendant of it, is in trouble, else one for the command. Without: one for each process, named
 * after its own running test or its command line.
 */
struct lk_ci_cases lk_ci_cases(struct lk_arena *a, const struct lk_report *reports, size_t n,
                               const struct lk_render *how);
/** Whether it is a failure, an error (it could not be judged), or neither. */
bool lk_ci_case_failed(const struct lk_ci_case *c);
bool lk_ci_case_in_error(const struct lk_ci_case *c);
/** "the command was ended after 61 s". */
const char *lk_ci_ended(struct lk_arena *a, int64_t elapsed_ms);
/** What a case says in one line. */
const char *lk_ci_case_summary(struct lk_arena *a, const struct lk_ci_case *c);
/** The worst finding of a case; NULL for none. */
const struct lk_finding *lk_ci_case_finding(const struct lk_ci_case *c);

#endif

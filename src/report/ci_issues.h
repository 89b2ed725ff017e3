/*
 * What the formats for CI servers share: findings told once for all processes that have them,
 * places as paths, and test cases. Results belong to the given arena. Strings are safe (words.h)
 * but not yet escaped for any format.
 */
#ifndef LK_REPORT_CI_ISSUES_H
#define LK_REPORT_CI_ISSUES_H

#include <jansson.h>

#include "report/enum_names.h"

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
/** A file of the target as an absolute path where its folder is known, without "." and empty parts.
 */
const char *lk_ci_path(struct lk_arena *a, const struct lk_snapshot *s, const char *file);
/** The part of an absolute path below a folder; NULL when it is not below it, or when ".." leaves
 * that open. */
const char *lk_ci_below(const char *folder, const char *path);
/** "pid 4711", "pid 4711, 4712 and 4 more". */
const char *lk_ci_pids(struct lk_arena *a, const struct lk_ci_issue *i);
/** Some lines on a finding: what is wrong, where, since when, what to change, what may be ended
 * now. */
const char *lk_ci_message(struct lk_arena *a, const struct lk_ci_issue *i);

/** The text report, at most about `most` bytes. */
const char *lk_ci_text(struct lk_arena *a, const struct lk_report *reports, size_t n, bool set,
                       size_t most);

/** A test case as a CI server shows it. */
struct lk_ci_case {
    const char *group, *name; /* junit's classname and name */
    /* how a running test is known: "PYTEST_CURRENT_TEST", ...; NULL: named after a command */
    const char *told_by;
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

/* JSON values; memory that runs out ends the process. */
json_t *lk_ci_json(struct lk_arena *a, const char *s);
void lk_ci_set(json_t *object, const char *key, json_t *value);
void lk_ci_append(json_t *array, json_t *value);
/** Writes the value and a newline, and releases it. */
bool lk_ci_dump(json_t *value, FILE *out);

#endif

/*
 * The formats that CI servers and other programs read. Each escapes for itself; what those for CI
 * share stands in ci_issues.h and ci_cases.h. Told as one are there findings of several processes
 * with the same rule and fingerprint, and all processes of one command.
 */
#ifndef LK_REPORT_FORMATS_H
#define LK_REPORT_FORMATS_H

#include "report/report.h"

/** JUnit XML, as Jenkins' schema has it, and Ant's when the time is known: deadlock and stalled
 * fail, unknown is an error, the rest passes. */
bool lk_junit_write(const struct lk_report *reports, size_t n, bool set,
                    const struct lk_render *how, FILE *out);
/** SARIF 2.1.0: one run with all rules, a result for each finding, notifications for what could not
 * be judged. */
bool lk_sarif_write(const struct lk_report *reports, size_t n, bool set,
                    const struct lk_render *how, FILE *out);
/** GitHub workflow commands: an annotation for each finding. */
bool lk_github_write(const struct lk_report *reports, size_t n, bool set,
                     const struct lk_render *how, FILE *out);
/** GitLab code quality: a list of issues. */
bool lk_gitlab_write(const struct lk_report *reports, size_t n, bool set,
                     const struct lk_render *how, FILE *out);
/** TAP version 13: a test point for each command or process, with a YAML block. */
bool lk_tap_write(const struct lk_report *reports, size_t n, bool set, const struct lk_render *how,
                  FILE *out);
/** The findings' wait-for graphs in the DOT language: a cluster each. */
bool lk_dot_write(const struct lk_report *reports, size_t n, bool set, const struct lk_render *how,
                  FILE *out);
/** Stacks as flame graphs and speedscope read them: a line each, with how many have it. */
bool lk_collapsed_write(const struct lk_report *reports, size_t n, bool set,
                        const struct lk_render *how, FILE *out);

#endif

/*
 * From findings to words: one file a format, one table of formats. Pure: snapshot and findings in,
 * bytes out.
 */
#ifndef LK_REPORT_REPORT_H
#define LK_REPORT_REPORT_H

#include <stdio.h>

#include "diagnose/rules/rules.h"

/** One examined process. */
struct lk_report {
    struct lk_snapshot *snap;
    struct lk_findings *findings;
};

struct lk_render {
    bool color;
    int width;   /* columns of the terminal; 0 = do not wrap */
    bool all;    /* no folding */
    bool native; /* show native stacks */
    int verbose;
    const char *command;  /* what was run, as a user would name it; NULL */
    const char *test;     /* the test that ran in it, as the caller knows it; NULL */
    int64_t elapsed_ms;   /* how long it had run; 0 not known */
    const char *checkout; /* folder that paths for CI are relative to; NULL: the target's own */
    bool ended;           /* it is ended for that: no success, whatever the verdict */
};

struct lk_format {
    const char *name;
    /** Renders one report, or a set when n > 1 (set=true forces a set). False on a write error. */
    bool (*write)(const struct lk_report *reports, size_t n, bool set, const struct lk_render *how,
                  FILE *out);
    const char *help;
};

extern const struct lk_format lk_formats[];
extern const size_t lk_n_formats;
const struct lk_format *lk_format_by_name(const char *name);

#endif

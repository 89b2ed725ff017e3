/*
 * The report for a person at a terminal. The first screen stands alone; findings, threads and
 * everything else follow it.
 */
#ifndef LK_REPORT_TEXT_H
#define LK_REPORT_TEXT_H

#include "report/folding.h"
#include "report/terminal.h"

bool lk_text_write(const struct lk_report *reports, size_t n, bool set, const struct lk_render *how,
                   FILE *out);

/** Stacks, innermost frame first (text_stacks.c). Runs of frames of libraries are folded to the
 * names of these, unless how->all. */
void lk_text_python_stack(struct lk_terminal *p, const struct lk_render *how,
                          const struct lk_pystack *st);
void lk_text_native_stack(struct lk_terminal *p, const struct lk_render *how,
                          const struct lk_natstack *st);

/** The second half of a report: threads, loops, tasks, executors, locks, limits (text_entities.c).
 */
void lk_text_lists(struct lk_terminal *p, const struct lk_report *r, const struct lk_render *how);

#endif

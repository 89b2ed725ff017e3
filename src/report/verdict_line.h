/* The verdict in one line: what is seen last on a terminal. */
#ifndef LK_REPORT_VERDICT_LINE_H
#define LK_REPORT_VERDICT_LINE_H

#include "report/report.h"

/** Verdict, place, rule and what is held up; of a set, of its worst member. Not longer than
 * how->width, unless the place is. False on a write error. */
bool lk_verdict_line_write(const struct lk_report *reports, size_t n, const struct lk_render *how,
                           FILE *out);

#endif

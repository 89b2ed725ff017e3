/* The incident report as one HTML page. */
#ifndef LK_REPORT_HTML_H
#define LK_REPORT_HTML_H

#include "report/report.h"

/** A page that needs nothing else: style, script and the JSON report are in it. */
bool lk_html_write(const struct lk_report *reports, size_t n, bool set, const struct lk_render *how,
                   FILE *out);

#endif

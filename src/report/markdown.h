/*
 * The report for a ticket: GitHub and GitLab flavoured Markdown. Names of the target stand in code
 * spans and code blocks, or are escaped so that they are neither markup, HTML, links, mentions nor
 * references.
 */
#ifndef LK_REPORT_MARKDOWN_H
#define LK_REPORT_MARKDOWN_H

#include "report/report.h"

bool lk_markdown_write(const struct lk_report *reports, size_t n, bool set,
                       const struct lk_render *how, FILE *out);

#endif

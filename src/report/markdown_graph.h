/* The wait-for graph of a finding as a mermaid block, which GitHub and GitLab draw. */
#ifndef LK_REPORT_MARKDOWN_GRAPH_H
#define LK_REPORT_MARKDOWN_GRAPH_H

#include "report/folding.h"

/** Nothing for a finding without a chain. */
void lk_markdown_graph(FILE *out, struct lk_arena *a, const struct lk_report *r,
                       const struct lk_finding *f, const struct lk_fold *view);

#endif

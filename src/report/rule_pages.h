/* The rules themselves as text, JSON or Markdown: a table of all, or all that is known about some.
 */
#ifndef LK_REPORT_RULE_PAGES_H
#define LK_REPORT_RULE_PAGES_H

#include "report/report.h"

/** Writes a table of all rules ("text", "json"); 0, 2 for a format that there is none of, -1 for a
 * write error. */
int lk_rules_write(const char *format, const struct lk_render *how, FILE *out);
/** Explains n rules, named as for lk_rule_by_word ("text", "json", "markdown"); returns as above, 2
 * also for an unknown rule. */
int lk_explanations_write(const char *const *words, size_t n, const char *format,
                          const struct lk_render *how, FILE *out);

#endif

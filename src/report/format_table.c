/* The table of formats: the one place where a new format is entered. */
#include "report/report.h"

#include <string.h>

#include "report/formats.h"
#include "report/html.h"
#include "report/json.h"
#include "report/markdown.h"
#include "report/text.h"

const struct lk_format lk_formats[] = {
    { .name = "text", .write = lk_text_write, .help = "for a person at a terminal" },
    { .name = "json",
      .write = lk_json_write,
      .help = "for scripts: loopknot.report/1, see docs/report.schema.json" },
    { .name = "markdown", .write = lk_markdown_write, .help = "for a ticket" },
    { .name = "html", .write = lk_html_write, .help = "for a browser: one page with everything" },
    { .name = "junit",
      .write = lk_junit_write,
      .help = "for CI servers: a test case, failed when it hangs" },
    { .name = "sarif", .write = lk_sarif_write, .help = "for code scanning: SARIF 2.1.0" },
    { .name = "github",
      .write = lk_github_write,
      .help = "for GitHub Actions: annotations, and the step summary" },
    { .name = "gitlab", .write = lk_gitlab_write, .help = "for GitLab: a code quality report" },
    { .name = "dot", .write = lk_dot_write, .help = "for graphviz: the wait-for graphs" },
    { .name = "collapsed",
      .write = lk_collapsed_write,
      .help = "for flame graphs and speedscope: the stacks" },
    { .name = "tap", .write = lk_tap_write, .help = "for test harnesses: TAP 13" },
};
const size_t lk_n_formats = LK_ARRAY_LEN(lk_formats);

const struct lk_format *lk_format_by_name(const char *name)
{
    for (size_t i = 0; i < lk_n_formats; i++)
        if (strcmp(lk_formats[i].name, name) == 0)
            return &lk_formats[i];
    return NULL;
}

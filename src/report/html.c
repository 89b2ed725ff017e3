/*
 * The incident report as one HTML page: the first screen as text has it, then each finding with its
 * picture, then timeline, tables, limits, environment, and the JSON report itself, which a button
 * saves. Nothing is loaded from anywhere: the page's own policy forbids it. Without a script all is
 * there and open.
 */
#include "report/html.h"

#include <inttypes.h>
#include <string.h>

#include "report/environment.h"
#include "report/html_writer.h"
#include "report/json.h"
#include "report/memory_stream.h"
#include "report/process_groups.h"
#include "report/sentences.h"
#include "util/text.h"
#include "util/version.h"

enum {
    COMMAND_COLUMNS = 160,
    PIDS_NAMED = 12,
    MAX_EMBEDDED = 3 << 20, /* bytes of JSON: the page stays one that can be mailed */
};

static const char *verdict_word(struct lk_html *h, enum lk_verdict v)
{
    return lk_words_upper(h->arena, lk_verdict_name(v));
}

/* ---- one process ----------------------------------------------------------------------------- */

static void limits(struct lk_html *h)
{
    const struct lk_snapshot *s = h->report->snap;
    if (!s->limits.n)
        return;
    lk_html_put(h,
                "<details class=\"section\" open><summary><h3>What could not be read ($)</h3>"
                "</summary><ul>\n",
                lk_html_number(h, (int64_t)s->limits.n));
    for (size_t i = 0; i < s->limits.n; i++) {
        const char *more = lk_sentence_limit(h->arena, s, &s->limits.v[i]);
        lk_html_put(h, "<li>$", s->limits.v[i].text);
        if (more)
            lk_html_put(h, " <span class=\"dim\">$</span>", more);
        lk_html_raw(h, "</li>\n");
    }
    lk_html_raw(h, "</ul></details>\n");
}

static void environment(struct lk_html *h)
{
    const struct lk_snapshot *s = h->report->snap;
    struct lk_environment_row rows[LK_ENVIRONMENT_ROWS];
    const size_t n = lk_environment(h->arena, s, rows);
    lk_html_raw(h, "<details class=\"section\" open><summary><h3>Environment</h3></summary><dl>\n");
    for (size_t i = 0; i < n; i++)
        (rows[i].code ? lk_html_code_row : lk_html_row)(h, rows[i].name, rows[i].text);
    lk_html_put(h, "<dt>Examined by</dt><dd>loopknot $: $</dd></dl></details>\n", lk_tool_version(),
                lk_sentence_looked(h->arena, s));
}

static const char *process(struct lk_html *h)
{
    const struct lk_snapshot *s = h->report->snap;
    return lk_arena_printf(h->arena, "pid %" PRId64 " %s (%s)", s->pid,
                           lk_sentence_command(h->arena, s, COMMAND_COLUMNS),
                           lk_sentence_runtime(h->arena, s));
}

static void report(struct lk_html *h, const struct lk_report *reports, size_t n, size_t i)
{
    const struct lk_findings *f = reports[i].findings;
    struct lk_arena *outer = h->arena;
    h->arena = lk_arena_create();
    h->report = &reports[i];
    h->view = lk_fold_create(h->arena, h->report, SIZE_MAX);
    lk_html_put(h, "<h2><span class=\"badge $\">$</span> $</h2>\n", lk_verdict_name(f->verdict),
                verdict_word(h, f->verdict), process(h));
    lk_html_first_screen(h, reports, n, i);
    if (f->list.n)
        lk_html_put(h, "<details class=\"section\" open><summary><h3>Findings ($)</h3></summary>\n",
                    lk_html_number(h, (int64_t)f->list.n));
    for (size_t k = 0; k < f->list.n; k++)
        lk_html_finding(h, k);
    if (f->list.n)
        lk_html_raw(h, "</details>\n");
    lk_html_timeline(h);
    lk_html_tables(h);
    limits(h);
    environment(h);
    lk_arena_destroy(h->arena);
    h->arena = outer;
}

/* ---- sets ------------------------------------------------------------------------------------ */

static void overview(struct lk_html *h, const struct lk_report *reports,
                     const struct lk_process_groups *set)
{
    lk_html_raw(
        h, "<div class=\"scroll\"><table class=\"overview\"><thead><tr><th scope=\"col\">Verdict"
           "</th><th scope=\"col\">Processes</th><th scope=\"col\">Worst finding</th></tr>"
           "</thead><tbody>\n");
    for (size_t i = 0; i < set->n_groups; i++) {
        const struct lk_process_groups_group *g = &set->groups[i];
        const struct lk_report *r = &reports[g->members[0]];
        const struct lk_finding *f = r->findings->list.n ? &r->findings->list.v[0] : NULL;
        lk_html_put(h,
                    "<tr><td><span class=\"badge $\">$</span></td><td><a href=\"#p$\">$$$</a> "
                    "<code>$</code></td><td>$ <code>$</code></td></tr>\n",
                    lk_verdict_name(r->findings->verdict), verdict_word(h, r->findings->verdict),
                    lk_html_number(h, r->snap->pid), g->role ? g->role : "", g->role ? ": " : "",
                    lk_process_groups_pids(h->arena, reports, g, PIDS_NAMED),
                    lk_sentence_command(h->arena, r->snap, COMMAND_COLUMNS / 2),
                    f ? lk_sentence_rule(h->arena, f->rule) : "",
                    f && f->culprits.n ? lk_sentence_place(h->arena, &f->culprits.v[0]) : "");
    }
    lk_html_raw(h, "</tbody></table></div>\n");
}

/* One of each group, the worst first; what is healthy beside something that is not is folded. */
static void members(struct lk_html *h, const struct lk_report *reports, size_t n,
                    const struct lk_process_groups *set)
{
    const enum lk_verdict worst = lk_sentence_worst(reports, n);
    for (size_t i = 0; i < set->n_groups; i++) {
        const struct lk_process_groups_group *g = &set->groups[i];
        const size_t k = g->members[0];
        const bool quiet = worst != LK_HEALTHY && reports[k].findings->verdict == LK_HEALTHY;
        lk_html_put(h, "<section id=\"p$\">", lk_html_number(h, reports[k].snap->pid));
        if (quiet)
            lk_html_put(h, "<details class=\"fold\" open><summary>healthy: pid $</summary>\n",
                        lk_html_number(h, reports[k].snap->pid));
        report(h, reports, n, k);
        if (g->n > 1)
            lk_html_put(h, "<p class=\"dim\">$ alike.</p>\n",
                        lk_process_groups_pids(h->arena, reports, g, PIDS_NAMED));
        lk_html_raw(h, quiet ? "</details></section>\n" : "</section>\n");
    }
}

/* ---- the page -------------------------------------------------------------------------------- */

static void head(struct lk_html *h, const struct lk_report *reports, size_t n)
{
    const struct lk_snapshot *s = n ? reports[0].snap : NULL;
    lk_html_raw(h, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
                   "form-action 'none'\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
                   "<meta name=\"robots\" content=\"noindex\">\n");
    lk_html_put(h, "<title>$: $ on $, $</title>\n", verdict_word(h, lk_sentence_worst(reports, n)),
                s ? lk_arena_printf(h->arena, "pid %" PRId64, s->pid) : "nothing",
                s && s->host ? s->host : "?", s && s->taken_at ? s->taken_at : "?");
    lk_html_raw(h, "<style>\n");
    lk_html_raw(h, lk_html_style);
    lk_html_raw(h, "</style>\n</head>\n<body>\n");
}

/* In a script element only "<" could end it (HTML, section 4.12.1.3); JSON may spell it otherwise.
 */
static void embedded(struct lk_html *h, const struct lk_report *reports, size_t n, bool set)
{
    size_t size;
    const char *json = lk_report_written(h->arena, lk_json_write, reports, n, set, h->how, &size);
    if (size > MAX_EMBEDDED && !h->how->all) {
        lk_html_put(h,
                    "<p class=\"dim\">The JSON report ($ bytes) is not in this page: loopknot "
                    "--format json writes it.</p>\n",
                    lk_words_number(h->arena, (int64_t)size));
        return;
    }
    lk_html_raw(h, "<script type=\"application/json\" id=\"report\">");
    for (; *json; json++)
        if (*json == '<')
            fputs("\\u003c", h->out);
        else
            putc(*json, h->out);
    lk_html_raw(h, "</script>\n");
}

static void footer(struct lk_html *h, const struct lk_report *reports, size_t n, bool set)
{
    lk_html_put(
        h,
        "</main>\n<footer><p>loopknot $. What looks like a secret is hidden in command lines, "
        "names, paths and source lines. Look before you publish.</p>\n",
        lk_tool_version());
    embedded(h, reports, n, set);
    lk_html_raw(h, "</footer>\n<script>\n");
    lk_html_raw(h, lk_html_script);
    lk_html_raw(h, "</script>\n</body>\n</html>\n");
}

bool lk_html_write(const struct lk_report *reports, size_t n, bool set, const struct lk_render *how,
                   FILE *out)
{
    struct lk_html h = { .out = out, .arena = lk_arena_create(), .how = how };
    const enum lk_verdict worst = lk_sentence_worst(reports, n);
    head(&h, reports, n);
    lk_html_put(&h,
                "<header class=\"$\"><h1>$</h1><p>loopknot incident report$</p>"
                "<div id=\"tools\"></div></header>\n<main>\n",
                lk_verdict_name(worst), verdict_word(&h, worst),
                n && reports[0].snap->taken_at
                    ? lk_arena_printf(h.arena, ", %s", reports[0].snap->taken_at)
                    : "");
    if (set || n != 1) {
        const struct lk_process_groups groups =
            lk_process_groups_create(h.arena, reports, n, how->all);
        overview(&h, reports, &groups);
        members(&h, reports, n, &groups);
    } else {
        report(&h, reports, n, 0);
    }
    footer(&h, reports, n, set);
    lk_arena_destroy(h.arena);
    return fflush(out) == 0 && !ferror(out);
}

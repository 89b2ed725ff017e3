/*
 * GitHub's workflow commands, "::error file=...,line=...,title=...::text", as actions/runner reads
 * them (ActionCommand.cs): an annotation for each finding, and for each process that could not be
 * judged.
 */
#include "report/formats.h"

#include <inttypes.h>
#include <string.h>

#include "report/ci_cases.h"
#include "report/ci_issues.h"
#include "report/paths.h"
#include "report/sentences.h"
#include "util/version.h"

/*
 * Escapes as the runner unescapes (actions/runner, ActionCommand.cs): a percent sign and line ends
 * in the data, and in properties, which end at a comma or colon, those too.
 */
static void escaped(FILE *out, const char *text, bool property)
{
    for (const char *s = text; *s; s++) {
        const bool escape = strchr("%\r\n", *s) || (property && strchr(":,", *s));
        fprintf(out, escape ? "%%%02X" : "%c", *s);
    }
}

/*
 * The place of an annotation. The path is absolute: the runner makes it relative to the checkout,
 * also when the command ran in another folder of it.
 */
static void place(FILE *out, struct lk_arena *a, const struct lk_snapshot *s,
                  const struct lk_finding *f)
{
    const struct lk_culprit *c = lk_ci_place(f);
    if (!c)
        return;
    fputs("file=", out);
    escaped(out, lk_ci_path(a, s, c->file), true);
    if (c->line > 0)
        fprintf(out, ",line=%d", c->line);
    putc(',', out);
}

/* A hazard that was only surmised is no warning. */
static const char *command_of(const struct lk_finding *f)
{
    if (f->severity >= LK_STALLED)
        return "error";
    return f->confidence == LK_POSSIBLE ? "notice" : "warning";
}

static void annotation(FILE *out, struct lk_arena *a, const struct lk_ci_issue *i,
                       const struct lk_render *how)
{
    fprintf(out, "::%s ", command_of(i->finding));
    place(out, a, i->report->snap, i->finding);
    fputs("title=", out);
    escaped(out,
            lk_arena_printf(a, "%s: %s", lk_verdict_name(i->finding->severity),
                            lk_ci_rule(a, i->finding)),
            true);
    fputs("::", out);
    escaped(out, lk_ci_message(a, i, how), false);
    putc('\n', out);
}

static void not_judged(FILE *out, struct lk_arena *a, const struct lk_report *r)
{
    fputs("::warning title=unknown::", out);
    escaped(out,
            lk_arena_printf(a, "pid %" PRId64 " (%s) could not be judged: %s", r->snap->pid,
                            lk_sentence_command(a, r->snap, 80),
                            lk_words_safe(a, lk_sentence_why_unknown(a, r))),
            false);
    putc('\n', out);
}

/* Lines that are no command hold no word of a target: "##[" anywhere in them would begin one of the
 * old kind. */
bool lk_github_write(const struct lk_report *reports, size_t n, bool set,
                     const struct lk_render *how, FILE *out)
{
    struct lk_arena *a = lk_arena_create();
    const struct lk_ci_issues issues = lk_ci_issues(a, reports, n);
    (void)set;
    fprintf(out, "loopknot %s: %s, %s examined\n", lk_tool_version(),
            lk_verdict_name(lk_sentence_worst(reports, n)),
            n == 1 ? lk_arena_printf(a, "pid %" PRId64, reports[0].snap->pid)
                   : lk_words_count(a, (int64_t)n, "process"));
    if (how->ended && lk_sentence_worst(reports, n) < LK_STALLED) {
        fputs("::error title=timeout::", out);
        escaped(out,
                lk_arena_printf(a, "%s: %s", lk_ci_ended(a, how->elapsed_ms),
                                lk_words_safe(a, how->command)),
                false);
        putc('\n', out);
    }
    for (size_t i = 0; i < issues.n; i++)
        annotation(out, a, &issues.v[i], how);
    for (size_t i = 0; i < n; i++)
        if (reports[i].findings->verdict == LK_VERDICT_UNKNOWN)
            not_judged(out, a, &reports[i]);
    lk_arena_destroy(a);
    return fflush(out) == 0 && !ferror(out);
}

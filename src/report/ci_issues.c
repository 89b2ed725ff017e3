/*
 * Findings as CI servers list them: one issue for each rule, severity and fingerprint, whatever
 * number of processes have it, its place and its message in a few lines. Pure text, no format.
 */
#include "report/ci_issues.h"

#include <inttypes.h>
#include <string.h>

#include "report/memory_stream.h"
#include "report/sentences.h"
#include "report/text.h"
#include "util/text.h"

#define PIDS_NAMED      12
#define PLACES_NAMED    6
#define COMMAND_COLUMNS 160
#define TEXT_COLUMNS    100

static const char *keep(struct lk_arena *a, struct lk_strbuf *b)
{
    const char *ret = lk_arena_strndup(a, b->s ? b->s : "", b->n);
    lk_strbuf_deinit(b);
    return ret;
}

/* ---- findings told once ---------------------------------------------------------------------- */

static bool same_finding(const struct lk_finding *a, const struct lk_finding *b)
{
    return a->rule == b->rule && a->severity == b->severity &&
           strcmp(a->fingerprint, b->fingerprint) == 0;
}

static void add_issue(struct lk_arena *a, struct lk_ci_issues *list, const struct lk_report *r,
                      const struct lk_finding *f, size_t most)
{
    struct lk_ci_issue *i = list->v;
    while (i < list->v + list->n && !same_finding(i->finding, f))
        i++;
    if (i == list->v + list->n) {
        *i = (struct lk_ci_issue){ .report = r,
                                   .finding = f,
                                   .pids = lk_arena_array(a, most, sizeof *i->pids) };
        list->n++;
    }
    /* One process may have a finding twice: its fingerprint leaves out what tells the two apart. */
    if (!i->n || i->pids[i->n - 1] != r->snap->pid)
        i->pids[i->n++] = r->snap->pid;
}

struct lk_ci_issues lk_ci_issues(struct lk_arena *a, const struct lk_report *reports, size_t n)
{
    struct lk_ci_issues list = { 0 };
    size_t all = 0;
    for (size_t i = 0; i < n; i++)
        all += reports[i].findings->list.n;
    list.v = lk_arena_array(a, all, sizeof *list.v);
    for (int severity = LK_DEADLOCK; severity >= LK_HEALTHY; severity--)
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < reports[i].findings->list.n; k++)
                if ((int)reports[i].findings->list.v[k].severity == severity)
                    add_issue(a, &list, &reports[i], &reports[i].findings->list.v[k], n);
    return list;
}

/* ---- places ---------------------------------------------------------------------------------- */

bool lk_ci_has_file(const struct lk_culprit *c)
{
    return c->file && *c->file && *c->file != '<';
}

const struct lk_culprit *lk_ci_place(const struct lk_finding *f)
{
    for (size_t i = 0; i < f->culprits.n; i++)
        if (lk_ci_has_file(&f->culprits.v[i]))
            return &f->culprits.v[i];
    return NULL;
}

/* ---- sentences ------------------------------------------------------------------------------- */

const char *lk_ci_rule(struct lk_arena *a, const struct lk_finding *f)
{
    return f->rule ? lk_arena_printf(a, "%s %s", f->rule->id, f->rule->name) : "loopknot";
}

const char *lk_ci_pids(struct lk_arena *a, const struct lk_ci_issue *i)
{
    struct lk_strbuf b = { 0 };
    for (size_t k = 0; k < i->n && k < PIDS_NAMED; k++)
        lk_strbuf_printf(&b, "%s%" PRId64, k ? ", " : "pid ", i->pids[k]);
    if (i->n > PIDS_NAMED)
        lk_strbuf_printf(&b, " and %zu more", i->n - PIDS_NAMED);
    return keep(a, &b);
}

const char *lk_ci_message(struct lk_arena *a, const struct lk_ci_issue *i,
                          const struct lk_render *how)
{
    const struct lk_finding *f = i->finding;
    const struct lk_snapshot *s = i->report->snap;
    struct lk_strbuf b = { 0 };
    lk_strbuf_printf(&b, "%s", lk_words_safe(a, f->summary ? f->summary : lk_ci_rule(a, f)));
    for (size_t k = 0; k < f->culprits.n && k < PLACES_NAMED; k++) {
        const char *who = lk_sentence_culprit(a, s, &f->culprits.v[k]);
        lk_strbuf_printf(&b, "\nWhere: %s%s%s", lk_sentence_place(a, &f->culprits.v[k]),
                         who ? ", " : "", who ? who : "");
    }
    if (f->culprits.n > PLACES_NAMED)
        lk_strbuf_printf(&b, "\nand %zu more places", f->culprits.n - PLACES_NAMED);
    const char *stood = lk_sentence_stuck(a, s, f);
    if (stood)
        lk_strbuf_printf(&b, "\nStuck: %s", stood);
    lk_strbuf_printf(&b, "\nChange: %s", lk_words_safe(a, lk_sentence_remedy(f)));
    if (lk_sentence_now(how, f))
        lk_strbuf_printf(&b, "\nNow: %s", lk_words_safe(a, lk_sentence_now(how, f)));
    lk_strbuf_printf(&b, "\nIn %s (%s)\nFingerprint: %s", lk_ci_pids(a, i),
                     lk_sentence_command(a, s, COMMAND_COLUMNS), f->fingerprint);
    return keep(a, &b);
}

const char *lk_ci_text(struct lk_arena *a, const struct lk_report *reports, size_t n, bool set,
                       const struct lk_render *in, size_t most)
{
    const struct lk_render how = { .width = TEXT_COLUMNS, .native = true, .ended = in->ended };
    size_t size;
    const char *text = lk_report_written(a, lk_text_write, reports, n, set, &how, &size);
    if (size <= most)
        return text;
    while (most && text[most - 1] != '\n')
        most--;
    return lk_arena_printf(a, "%.*s[cut here: the text report has it whole]\n", (int)most, text);
}

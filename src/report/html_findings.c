/*
 * The first screen of a process, as the text report has it, and its findings one by one: picture,
 * places, evidence, what would refute it, remedy with code before and after, sources.
 */
#include "report/html_writer.h"

#include <string.h>

#include "diagnose/rules/documents.h"
#include "diagnose/rules/rule_texts.h"
#include "report/sentences.h"
#include "util/text.h"

enum { MAX_CULPRITS = 12 };

static void culprit(struct lk_html *h, const char *name, const struct lk_culprit *c)
{
    const char *who = lk_sentence_culprit(h->arena, h->report->snap, c);
    lk_html_put(h, "<dt>$</dt><dd><code>$</code>$$", name, lk_sentence_place(h->arena, c),
                who ? ", " : "", who ? who : "");
    if (c->source && *c->source)
        lk_html_put(h, "<pre>$</pre>", c->source);
    lk_html_raw(h, "</dd>\n");
}

static void stuck(struct lk_html *h, const struct lk_finding *f)
{
    const char *concerned = lk_sentence_concerned(h->arena, f),
               *stood = lk_sentence_stuck(h->arena, h->report->snap, f);
    if (concerned)
        lk_html_row(h, "Affects", concerned);
    else if (stood)
        lk_html_row(h, "Stuck", stood);
}

/* ---- first screen ---------------------------------------------------------------------------- */

static void worst_finding(struct lk_html *h, const struct lk_finding *f)
{
    lk_html_row(h, "What", f->summary ? f->summary : lk_sentence_rule(h->arena, f->rule));
    lk_html_put(h, "<dt>Finding</dt><dd>$, $, id <code>$</code></dd>\n",
                lk_sentence_rule(h->arena, f->rule), lk_confidence_name(f->confidence),
                f->fingerprint);
    stuck(h, f);
    for (size_t i = 0; i < f->culprits.n && i < 2; i++)
        culprit(h, i ? "and" : "Where", &f->culprits.v[i]);
    lk_html_row(h, "Change", lk_sentence_remedy(f));
    lk_html_row(h, "Now", lk_sentence_now(h->how, f));
    lk_html_row(h, "Unsure", h->report->findings->verdict_why);
}

/* What stands there is not said again below. */
static bool is_on_first_screen(const struct lk_report *r)
{
    const enum lk_verdict v = r->findings->verdict;
    return r->findings->list.n && v != LK_VERDICT_UNKNOWN && v != LK_HEALTHY;
}

void lk_html_first_screen(struct lk_html *h, const struct lk_report *reports, size_t n, size_t i)
{
    const struct lk_report *r = h->report;
    const enum lk_verdict v = r->findings->verdict;
    const char *children = lk_sentence_children(h->arena, reports, n, i);
    lk_html_raw(h, "<dl class=\"first\">\n");
    if (is_on_first_screen(r))
        worst_finding(h, &r->findings->list.v[0]);
    else if (v == LK_HEALTHY)
        lk_html_row(h, "Why", "no wait was found that cannot end, and nothing else that is wrong");
    else
        lk_html_row(h, "Why", lk_sentence_why_unknown(h->arena, r));
    lk_html_row(h, "Threads", lk_sentence_census(h->arena, r->snap));
    lk_html_row(h, "Looked", lk_sentence_looked(h->arena, r->snap));
    lk_html_row(h, "Unread", r->snap->withheld);
    if (children)
        lk_html_put(h, "<dt>Unseen</dt><dd>$ <code>$</code></dd>\n", children,
                    lk_sentence_children_command(h->arena, r->snap));
    lk_html_raw(h, "</dl>\n");
}

/* ---- a finding ------------------------------------------------------------------------------- */

/* Lines of our own: a line feed is nothing that lk_words_safe() lets pass. */
static void example(struct lk_html *h, const char *title, const char *lines)
{
    if (!lines)
        return;
    lk_html_put(h, "<div><h5>$</h5><pre>", title);
    while (*lines) {
        const size_t n = strcspn(lines, "\n");
        lk_html_text(h, lk_arena_strndup(h->arena, lines, n));
        lk_html_raw(h, "\n");
        lines += n + (lines[n] == '\n');
    }
    lk_html_raw(h, "</pre></div>\n");
}

static void remedy(struct lk_html *h, const struct lk_finding *f, const struct lk_explanation *x,
                   bool told)
{
    if (!told)
        lk_html_put(h, "<h5>What to change</h5><p>$</p>\n", lk_sentence_remedy(f));
    if (x) {
        lk_html_raw(h, "<details class=\"fold\" open><summary>What to change, by an example: "
                       "before and after</summary>"
                       "<div class=\"pair\">\n");
        example(h, "Before", x->wrong);
        example(h, "After", x->right);
        lk_html_raw(h, "</div></details>\n");
    }
    if (!told && lk_sentence_now(h->how, f))
        lk_html_put(h, "<h5>What may be done now</h5><p>$</p>\n", lk_sentence_now(h->how, f));
}

static void evidence(struct lk_html *h, const struct lk_finding *f, const struct lk_explanation *x)
{
    lk_html_put(h, "<h5>How sure</h5><p>$</p>\n", lk_sentence_confidence(f->confidence));
    if (f->evidence.n)
        lk_html_raw(h, "<ul>\n");
    for (size_t i = 0; i < f->evidence.n; i++)
        lk_html_put(h, "<li>$</li>\n", f->evidence.v[i]);
    if (f->evidence.n)
        lk_html_raw(h, "</ul>\n");
    if (x)
        lk_html_put(
            h,
            "<details class=\"fold\" open><summary>How it comes about, and what would refute "
            "it</summary><p>$</p><p>$</p><p>$</p></details>\n",
            x->cause, x->evidence, x->refuted);
}

/* Addresses are the rules' own, or those of a report that was read: links only where they are. */
static void docs(struct lk_html *h, const struct lk_rule *rule)
{
    if (!rule || !rule->docs[0])
        return;
    lk_html_raw(h, "<h5>Sources</h5><ul>\n");
    for (size_t i = 0; i < LK_ARRAY_LEN(rule->docs) && rule->docs[i]; i++) {
        const char *d = rule->docs[i];
        if (lk_starts_with(d, "https://"))
            lk_html_put(h, "<li><a rel=\"noreferrer\" href=\"$\">$</a></li>\n", d, lk_doc_title(d));
        else
            lk_html_put(h, "<li>$</li>\n", d);
    }
    lk_html_raw(h, "</ul>\n");
}

void lk_html_finding(struct lk_html *h, size_t i)
{
    const struct lk_finding *f = &h->report->findings->list.v[i];
    const struct lk_explanation *x = f->rule ? lk_rule_explanation(f->rule) : NULL;
    const bool told = i == 0 && is_on_first_screen(h->report);
    const size_t places = h->how->all ? f->culprits.n : LK_MIN(f->culprits.n, (size_t)MAX_CULPRITS);
    lk_html_put(
        h, "<article class=\"finding $\"><h4><span class=\"badge $\">$</span> $</h4>\n<p>$</p>\n",
        lk_verdict_name(f->severity), lk_verdict_name(f->severity), lk_verdict_name(f->severity),
        lk_sentence_rule(h->arena, f->rule), f->summary ? f->summary : "");
    lk_html_graph(h, i);
    lk_html_raw(h, "<dl>\n");
    if (!told)
        stuck(h, f);
    for (size_t c = 0; c < places && (!told || f->culprits.n > 2); c++)
        culprit(h, c ? "and" : "Where", &f->culprits.v[c]);
    if (places < f->culprits.n)
        lk_html_row(h, "and", lk_arena_printf(h->arena, "%zu more places", f->culprits.n - places));
    lk_html_put(
        h, "<dt>Id</dt><dd><code>$</code>, the same wherever this hang comes back</dd>\n</dl>\n",
        f->fingerprint);
    remedy(h, f, x, told);
    evidence(h, f, x);
    docs(h, f->rule);
    lk_html_raw(h, "</article>\n");
}

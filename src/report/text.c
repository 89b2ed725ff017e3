/*
 * The text report: the first screen with verdict, worst finding and culprit, then findings one by
 * one, then the lists (text_entities.c); of several processes an overview and one of each group.
 */
#include "report/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "diagnose/rules/rule_texts.h"
#include "report/process_groups.h"
#include "report/sentences.h"
#include "report/test_name.h"
#include "util/text.h"

#define FIELD           8  /* columns of a field's label */
#define WHY_COLUMNS     56 /* widest reason that still keeps the arrows of a chain in line */
#define MAX_CULPRITS    12 /* of one finding, unless all are asked for */
#define MAX_EVIDENCE    20
#define ALSO_NAMED      3 /* further findings named on the first screen */
#define COMMAND_COLUMNS 160
#define SOURCE_COLUMNS  160
#define PIDS_NAMED      6 /* of processes that are told of as one */

static const char *verdict_word(struct lk_terminal *p, enum lk_verdict v)
{
    return lk_words_upper(p->arena, lk_verdict_name(v));
}

/* What of the first finding stands whole on the first screen and need not be said again below. */
struct told {
    bool any, what, change, now;
    size_t culprits;
};

static bool field(struct lk_terminal *p, const char *label, const char *text, int max_lines)
{
    return lk_terminal_par(p, 2, label, FIELD, text, max_lines);
}

/* "pid 4711 python3 app.py (Python 3.11.2, 14 threads)", the command cut so that it stays on one
 * line. */
static const char *process(struct lk_terminal *p, const struct lk_snapshot *s, size_t used)
{
    const char *runtime = lk_sentence_runtime(p->arena, s);
    const char *pid = lk_arena_printf(p->arena, "pid %" PRId64, s->pid);
    const size_t others =
        used + lk_words_columns(pid, SIZE_MAX) + lk_words_columns(runtime, SIZE_MAX) + 4;
    const size_t room = p->width > (int)others + 12 ? (size_t)p->width - others
                        : p->width                  ? 12
                                                    : COMMAND_COLUMNS;
    return lk_arena_printf(p->arena, "%s %s (%s)", pid, lk_sentence_command(p->arena, s, room),
                           runtime);
}

static size_t indent_of(const char *line)
{
    return line && line[strspn(line, " ")] ? strspn(line, " ") : SIZE_MAX;
}

static void source_line(struct lk_terminal *p, bool guilty, const char *line, size_t indent)
{
    if (indent_of(line) == SIZE_MAX)
        return;
    lk_terminal_line(p, 2 + FIELD, guilty ? LK_INK_BOLD : LK_INK_PLAIN,
                     lk_arena_printf(p->arena, "%c %s", guilty ? '>' : ' ',
                                     lk_words_cut(p->arena, line + indent, SOURCE_COLUMNS)));
}

/* around: with the lines before and after it, moved to the left together. */
static void source(struct lk_terminal *p, const struct lk_culprit *c, bool around)
{
    const struct lk_source_context *x = c->context;
    if (!around || !x || indent_of(x->at) == SIZE_MAX) {
        source_line(p, true, c->source, 0);
        return;
    }
    const size_t indent =
        LK_MIN(indent_of(x->at), LK_MIN(indent_of(x->before), indent_of(x->after)));
    source_line(p, false, x->before, indent);
    source_line(p, true, x->at, indent);
    source_line(p, false, x->after, indent);
}

/* File and line are never broken over two lines: they are there to be copied. */
static void culprit(struct lk_terminal *p, const struct lk_snapshot *s, const char *label,
                    const struct lk_culprit *c, bool around)
{
    const char *who = lk_sentence_culprit(p->arena, s, c), *place = lk_sentence_place(p->arena, c);
    const char *both = who ? lk_arena_printf(p->arena, "%s, %s", place, who) : place;
    const bool fits =
        p->width <= 0 || lk_words_columns(both, SIZE_MAX) + 2 + FIELD <= (size_t)p->width;
    const int pad = FIELD - 1 - (int)strlen(label);
    lk_terminal_two(p, 2, LK_INK_BOLD, lk_arena_printf(p->arena, "%s%*s", label, pad, ""),
                    fits ? both : place);
    if (!fits && who)
        lk_terminal_line(p, 2 + FIELD, LK_INK_PLAIN, lk_arena_printf(p->arena, "in %s", who));
    source(p, c, around);
}

/* What else was found, and of the worst of it what kind. */
static void also(struct lk_terminal *p, const struct lk_findings *fs, size_t from)
{
    if (fs->list.n <= from)
        return;
    struct lk_strbuf b = { 0 };
    for (size_t i = from; i < fs->list.n && i < from + ALSO_NAMED; i++)
        lk_strbuf_printf(&b, "%s%s (%s)", b.n ? ", " : "",
                         lk_sentence_rule(p->arena, fs->list.v[i].rule),
                         lk_verdict_name(fs->list.v[i].severity));
    if (fs->list.n > from + ALSO_NAMED)
        lk_strbuf_printf(&b, " and %zu more", fs->list.n - from - ALSO_NAMED);
    lk_strbuf_puts(&b, ", below");
    field(p, "Also", b.s, 1);
    lk_strbuf_deinit(&b);
}

static void stuck(struct lk_terminal *p, const struct lk_snapshot *s, const struct lk_finding *f,
                  int max_lines)
{
    const char *concerned = lk_sentence_concerned(p->arena, f),
               *stood = lk_sentence_stuck(p->arena, s, f);
    if (concerned)
        field(p, "Affects", concerned, max_lines);
    else if (stood)
        field(p, "Stuck", stood, max_lines);
}

static bool same_place(const struct lk_culprit *a, const struct lk_culprit *b)
{
    return a->file && b->file && strcmp(a->file, b->file) == 0 && a->line == b->line;
}

static void first_finding(struct lk_terminal *p, const struct lk_report *r,
                          const struct lk_render *how, struct told *told)
{
    const struct lk_finding *f = &r->findings->list.v[0];
    told->any = true;
    told->what = field(p, "What", f->summary ? f->summary : lk_sentence_rule(p->arena, f->rule), 4);
    field(p, "",
          lk_arena_printf(p->arena, "(%s, %s)", lk_sentence_rule(p->arena, f->rule),
                          lk_confidence_name(f->confidence)),
          0);
    stuck(p, r->snap, f, 2);
    const bool both = f->culprits.n == 2 && !same_place(&f->culprits.v[0], &f->culprits.v[1]);
    told->culprits = both ? 2 : LK_MIN(f->culprits.n, (size_t)1);
    for (size_t i = 0; i < told->culprits; i++)
        culprit(p, r->snap, i ? "and" : "Where", &f->culprits.v[i], !both);
    told->change = field(p, "Change", lk_sentence_remedy(f), 4);
    told->now = !lk_sentence_now(how, f) || field(p, "Now", lk_sentence_now(how, f), 3);
    if (r->findings->verdict_why)
        field(p, "Unsure", r->findings->verdict_why, 2);
}

static void why_healthy(struct lk_terminal *p, const struct lk_snapshot *s)
{
    size_t unknown = 0;
    for (size_t i = 0; i < s->threads.n; i++)
        unknown += lk_words_thread_state(&s->threads.v[i], false) == LK_TS_UNKNOWN;
    /* What was not recognised is not claimed to be in order. */
    field(p, "Why",
          unknown ? "no wait was found that cannot end, and nothing else that is wrong:"
                  : "every thread is idle in a known place, moves, or waits for something that can "
                    "still act:",
          0);
    field(p, "", lk_sentence_census(p->arena, s), 4);
}

static void why_unknown(struct lk_terminal *p, const struct lk_report *r)
{
    field(p, "Why", lk_sentence_why_unknown(p->arena, r), 8);
    field(p, "Seen", lk_sentence_census(p->arena, r->snap), 3);
    if (r->snap->limits.n)
        field(p, "Limits",
              lk_arena_printf(p->arena, "%s could not be read, listed at the end",
                              lk_words_count(p->arena, (int64_t)r->snap->limits.n, "thing")),
              2);
}

/* What may not be read stands on the first screen, whatever the verdict. */
static void withheld(struct lk_terminal *p, const struct lk_report *r)
{
    const char *text = r->snap->withheld, *why = r->findings->verdict_why;
    if (text && !(why && strstr(why, text)))
        field(p, "Unread", text, 6);
}

/* The command stays on one line: it is there to be copied. */
static void unseen(struct lk_terminal *p, const struct lk_report *reports, size_t n, size_t i)
{
    const char *children = lk_sentence_children(p->arena, reports, n, i);
    if (!children)
        return;
    const char *command = lk_sentence_children_command(p->arena, reports[i].snap);
    /* An unknown verdict may have said just this. */
    if (reports[i].findings->verdict_why && strstr(reports[i].findings->verdict_why, command))
        return;
    const char *both = lk_arena_printf(p->arena, "%s %s", children, command);
    if (p->width <= 0 || lk_words_columns(both, SIZE_MAX) + 2 + FIELD <= (size_t)p->width) {
        field(p, "Unseen", both, 0);
        return;
    }
    field(p, "Unseen", children, 2);
    lk_terminal_line(p, 2 + FIELD, LK_INK_BOLD, command);
}

static struct told first_screen(struct lk_terminal *p, const struct lk_report *reports, size_t n,
                                size_t i, const struct lk_render *how)
{
    struct told told = { 0 };
    const struct lk_report *r = &reports[i];
    const enum lk_verdict v = r->findings->verdict;
    const char *word = verdict_word(p, v);
    const bool found = r->findings->list.n && v != LK_VERDICT_UNKNOWN && v != LK_HEALTHY;
    lk_terminal_two(p, 0, lk_terminal_verdict_ink(v), word,
                    lk_arena_printf(p->arena, " %s", process(p, r->snap, strlen(word) + 2)));
    const char *serves = lk_sentence_serves(p->arena, r->snap),
               *test = lk_sentence_test(p->arena, reports, n, i);
    lk_terminal_blank(p);
    if (test)
        field(p, "Test", test, 2);
    if (serves)
        field(p, "Serves", serves, 2);
    if (found)
        first_finding(p, r, how, &told);
    else if (v == LK_HEALTHY)
        why_healthy(p, r->snap);
    else
        why_unknown(p, r);
    field(p, "Looked", lk_sentence_looked(p->arena, r->snap), 2);
    withheld(p, r);
    unseen(p, reports, n, i);
    also(p, r->findings, found ? 1 : 0);
    return told;
}

/* ---- findings --------------------------------------------------------------------------- */

/* Each line: why the thing above waits, and an arrow to what it waits for. */
static void chain(struct lk_terminal *p, const struct lk_snapshot *s, const struct lk_finding *f)
{
    const size_t widest = p->width > 0 ? LK_MIN((size_t)p->width / 2, WHY_COLUMNS) : WHY_COLUMNS;
    size_t wide = 0;
    for (size_t i = 0; i < f->chain.n; i++) {
        const size_t w = f->chain.v[i].why ? lk_words_columns(f->chain.v[i].why, SIZE_MAX) : 0;
        wide = w <= widest ? LK_MAX(wide, w) : wide;
    }
    struct lk_ref at = { 0 };
    for (size_t i = 0; i < f->chain.n; i++) {
        const struct lk_edge *e = &f->chain.v[i];
        if (!lk_ref_eq(at, e->from))
            field(p, i ? "" : "Chain", lk_sentence_label(p->arena, s, e->from), 0);
        const bool closes = i && lk_ref_eq(e->to, f->chain.v[0].from);
        const char *target =
            lk_arena_printf(p->arena, "--> %s%s%s", lk_sentence_label(p->arena, s, e->to),
                            closes ? ", where it began" : "", lk_sentence_edge_doubt(e));
        lk_terminal_par(p, 2 + FIELD + 2, e->why ? e->why : "waits for", (int)wide + 1, target, 0);
        at = e->to;
    }
}

static void evidence(struct lk_terminal *p, const struct lk_finding *f, bool all)
{
    for (size_t i = 0; i < f->evidence.n; i++) {
        const bool last = !all && i == MAX_EVIDENCE;
        const char *text =
            last ? lk_arena_printf(p->arena, "and %zu more", f->evidence.n - i) : f->evidence.v[i];
        lk_terminal_par(p, 2, i ? "        -" : "Seen    -", FIELD + 2, text, 0);
        if (last)
            return;
    }
}

static void docs(struct lk_terminal *p, const struct lk_rule *rule)
{
    for (size_t i = 0; rule && i < LK_ARRAY_LEN(rule->docs) && rule->docs[i]; i++)
        field(p, i ? "" : "Read", rule->docs[i], 0);
    if (rule && lk_rule_explanation(rule))
        field(p, "More",
              lk_arena_printf(p->arena, "loopknot explain %s (cause, doubts, examples)", rule->id),
              0);
}

static void finding(struct lk_terminal *p, const struct lk_report *r, size_t i,
                    const struct lk_render *how, const struct told *told)
{
    const bool all = how->all;
    const struct lk_finding *f = &r->findings->list.v[i];
    struct lk_arena *a = p->arena;
    lk_terminal_blank(p);
    lk_terminal_two(p, 0, lk_terminal_verdict_ink(f->severity),
                    lk_arena_printf(a, "FINDING %zu of %zu", i + 1, r->findings->list.n),
                    lk_arena_printf(a, " %s: %s", lk_sentence_rule(p->arena, f->rule),
                                    lk_verdict_name(f->severity)));
    if (!told->what)
        lk_terminal_par(p, 2, "", 0, f->summary ? f->summary : "", 0);
    chain(p, r->snap, f);
    const bool more = f->culprits.n > told->culprits;
    for (size_t c = 0; more && c < f->culprits.n && (all || c < MAX_CULPRITS); c++)
        culprit(p, r->snap, c ? "and" : "Where", &f->culprits.v[c], true);
    if (!all && f->culprits.n > MAX_CULPRITS)
        field(p, "", lk_arena_printf(a, "and %zu more places", f->culprits.n - MAX_CULPRITS), 0);
    if (!told->any)
        stuck(p, r->snap, f, 0);
    field(p, "Sure", lk_sentence_confidence(f->confidence), 0);
    evidence(p, f, all);
    if (!told->change)
        field(p, "Change", lk_sentence_remedy(f), 0);
    if (!told->now && lk_sentence_now(how, f))
        field(p, "Now", lk_sentence_now(how, f), 0);
    field(p, "Id", lk_arena_printf(a, "%s, the same wherever this hang comes back", f->fingerprint),
          0);
    docs(p, f->rule);
}

static void ruled_out(struct lk_terminal *p, const struct lk_report *r)
{
    const struct lk_findings *f = r->findings;
    if (!f->ruled_out.n)
        return;
    lk_terminal_blank(p);
    lk_terminal_two(p, 0, LK_INK_BOLD, lk_arena_printf(p->arena, "RULED OUT (%zu)", f->ruled_out.n),
                    "near misses");
    for (size_t i = 0; i < f->ruled_out.n; i++) {
        const struct lk_ruled_out *out = &f->ruled_out.v[i];
        lk_terminal_par(p, 2, out->rule ? out->rule->id : "?", 8,
                        lk_arena_printf(p->arena, "%s: %s",
                                        lk_sentence_parties(p->arena, r->snap, out), out->why),
                        0);
    }
}

static void report(struct lk_terminal *p, const struct lk_report *reports, size_t n, size_t i,
                   const struct lk_render *how)
{
    const struct told told = first_screen(p, reports, n, i, how), nothing = { 0 };
    for (size_t f = 0; f < reports[i].findings->list.n; f++)
        finding(p, &reports[i], f, how, f ? &nothing : &told);
    if (how->verbose)
        ruled_out(p, &reports[i]);
    lk_text_lists(p, &reports[i], how);
}

/* ---- sets ------------------------------------------------------------------------------- */

/* "1 deadlock, 4 healthy", the worst first. */
static const char *count_verdicts(struct lk_terminal *p, const struct lk_report *reports, size_t n)
{
    struct lk_strbuf b = { 0 };
    for (int v = LK_DEADLOCK; v >= LK_HEALTHY; v--) {
        size_t count = 0;
        for (size_t i = 0; i < n; i++)
            count += reports[i].findings->verdict == (enum lk_verdict)v;
        if (count)
            lk_strbuf_printf(&b, "%s%zu %s", b.n ? ", " : "", count,
                             lk_verdict_name((enum lk_verdict)v));
    }
    const char *ret = lk_arena_strdup(p->arena, b.s ? b.s : "none was examined");
    lk_strbuf_deinit(&b);
    return ret;
}

/* "pid 12 and 13, 2 gunicorn workers: python3 ... (Python 3.11.2, 5 threads)". */
static const char *group_line(struct lk_terminal *p, const struct lk_report *reports,
                              const struct lk_process_groups_group *g, size_t used)
{
    const char *role = g->role ? g->role : "process";
    const char *who =
        g->n > 1
            ? lk_arena_printf(p->arena, "%s: %s,", lk_words_count(p->arena, (int64_t)g->n, role),
                              lk_process_groups_pids(p->arena, reports, g, PIDS_NAMED))
        : g->role ? lk_arena_printf(p->arena, "%s:", role)
                  : "";
    const struct lk_snapshot *s = reports[g->members[0]].snap;
    const size_t room = used + lk_words_columns(who, SIZE_MAX) + 1;
    if (g->n == 1)
        return lk_arena_printf(p->arena, "%s%s%s", who, *who ? " " : "",
                               process(p, s, *who ? room : used));
    const size_t width = p->width <= 0                  ? COMMAND_COLUMNS
                         : (size_t)p->width > room + 12 ? (size_t)p->width - room
                                                        : 12;
    return lk_arena_printf(p->arena, "%s %s", who, lk_sentence_command(p->arena, s, width));
}

static void set_overview(struct lk_terminal *p, const struct lk_report *reports, size_t n,
                         const struct lk_process_groups *set)
{
    const enum lk_verdict worst = lk_sentence_worst(reports, n);
    lk_terminal_two(p, 0, lk_terminal_verdict_ink(worst), verdict_word(p, worst),
                    lk_arena_printf(p->arena, " %s: %s",
                                    lk_words_count(p->arena, (int64_t)n, "process"),
                                    count_verdicts(p, reports, n)));
    size_t missed = 0;
    for (size_t i = 0; i < n; i++)
        missed += reports[i].snap->not_examined;
    if (missed)
        lk_terminal_line(p, 2, LK_INK_PLAIN,
                         lk_arena_printf(p->arena, "%zu of %zu processes %s not examined", missed,
                                         n, missed == 1 ? "was" : "were"));
    for (size_t i = 0; i < set->n_groups; i++) {
        const struct lk_process_groups_group *g = &set->groups[i];
        const struct lk_findings *fs = reports[g->members[0]].findings;
        const char *word = lk_arena_printf(p->arena, "%-8s", verdict_word(p, fs->verdict));
        lk_terminal_two(p, 2, lk_terminal_verdict_ink(fs->verdict), word,
                        lk_arena_printf(p->arena, " %s", group_line(p, reports, g, 12)));
        const char *test = lk_sentence_test(p->arena, reports, n, g->members[0]);
        if (test)
            lk_terminal_line(p, 11, LK_INK_BOLD, lk_arena_printf(p->arena, "test %s", test));
        if (fs->list.n && fs->list.v[0].culprits.n)
            lk_terminal_line(
                p, 11, LK_INK_PLAIN,
                lk_arena_printf(p->arena, "%s at %s",
                                lk_sentence_rule(p->arena, fs->list.v[0].rule),
                                lk_sentence_place(p->arena, &fs->list.v[0].culprits.v[0])));
    }
}

/* One of each group, the worst first. Of what is healthy beside something that is not, nothing more
 * is to be told. */
static void group_reports(struct lk_terminal *p, const struct lk_report *reports, size_t n,
                          const struct lk_process_groups *set, const struct lk_render *how)
{
    const enum lk_verdict worst = lk_sentence_worst(reports, n);
    struct lk_arena *outer = p->arena;
    size_t untold = 0;
    for (size_t g = 0; g < set->n_groups; g++) {
        const size_t i = set->groups[g].members[0];
        if (!how->all && worst != LK_HEALTHY && reports[i].findings->verdict == LK_HEALTHY) {
            untold += set->groups[g].n;
            continue;
        }
        p->arena = lk_arena_create();
        lk_terminal_blank(p);
        lk_terminal_line(p, 0, LK_INK_DIM,
                         "----------------------------------------------------------------");
        report(p, reports, n, i, how);
        if (set->groups[g].n > 1)
            lk_terminal_line(p, 0, LK_INK_DIM,
                             lk_arena_printf(p->arena, "(%s alike; --all shows each)",
                                             lk_process_groups_pids(p->arena, reports,
                                                                    &set->groups[g], PIDS_NAMED)));
        lk_arena_destroy(p->arena);
    }
    p->arena = outer;
    if (untold) {
        lk_terminal_blank(p);
        lk_terminal_line(
            p, 0, LK_INK_DIM,
            lk_arena_printf(p->arena, "(%s healthy; --all shows their threads)",
                            untold == 1 ? "1 process is"
                                        : lk_arena_printf(p->arena, "%zu processes are", untold)));
    }
}

bool lk_text_write(const struct lk_report *reports, size_t n, bool set, const struct lk_render *how,
                   FILE *out)
{
    struct lk_terminal p = {
        .out = out, .color = how->color, .width = how->width, .arena = lk_arena_create()
    };
    if (set || n != 1) {
        const struct lk_process_groups folded =
            lk_process_groups_create(p.arena, reports, n, how->all);
        set_overview(&p, reports, n, &folded);
        group_reports(&p, reports, n, &folded, how);
    } else {
        report(&p, reports, n, 0, how);
    }
    lk_arena_destroy(p.arena);
    return fflush(out) == 0 && !ferror(out);
}

/*
 * The report as Markdown for a ticket: an overview, findings with their graphs, then lists and the
 * environment in folded sections. A part that does not fit into a ticket is left out whole, and
 * that is said.
 */
#include "report/markdown.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/rules/rule_texts.h"
#include "report/environment.h"
#include "report/folding.h"
#include "report/markdown_graph.h"
#include "report/markdown_text.h"
#include "report/memory_stream.h"
#include "report/process_groups.h"
#include "report/sentences.h"
#include "util/map.h"
#include "util/text.h"
#include "util/version.h"

#define MAX_GROUPS     30 /* of one list, unless all are asked for; tickets have a size limit */
#define MAX_FRAMES     40
#define MAX_CULPRITS   12
#define MAX_CHAIN      60
#define MAX_EVIDENCE   30
#define MAX_NAMES      8
#define SOURCE_COLUMNS 160
#define PIDS_NAMED     12 /* of processes that are told of as one */
/* GitHub takes 65,536 characters of a comment; what is left leaves room for who pastes it */
#define MAX_TICKET 64000

struct page {
    FILE *out;
    struct lk_arena *arena;
    const struct lk_render *how;
    size_t left, left_out; /* bytes that still fit into a ticket; parts that did not */
};

/* ---- texts ----------------------------------------------------------------------------------- */

static const char *plain(struct page *p, const char *text)
{
    return lk_md_plain(p->arena, text);
}

static const char *code(struct page *p, const char *text)
{
    return lk_md_code(p->arena, text);
}

static const char *cell_code(struct page *p, const char *text)
{
    return lk_md_cell_code(p->arena, text);
}

static void block(struct page *p, const char *language, const char *lines)
{
    lk_md_block(p->out, p->arena, language, lines);
}

static void add_line(struct page *p, struct lk_strbuf *b, const char *indent, const char *text)
{
    lk_strbuf_puts(b, indent);
    lk_strbuf_puts(b, lk_words_safe(p->arena, text));
    lk_strbuf_puts(b, "\n");
}

/* ---- head ------------------------------------------------------------------------------------ */

static const char *upper_verdict(struct page *p, enum lk_verdict v)
{
    return lk_words_upper(p->arena, lk_verdict_name(v));
}

static void row(struct page *p, const char *head, const char *cell)
{
    fprintf(p->out, "| %s | %s |\n", head, cell);
}

static void summary_table(struct page *p, const struct lk_report *reports, size_t n, size_t i)
{
    const struct lk_report *r = &reports[i];
    const struct lk_finding *f = r->findings->list.n ? &r->findings->list.v[0] : NULL;
    const char *children = lk_sentence_children(p->arena, reports, n, i);
    const enum lk_verdict v = r->findings->verdict;
    fprintf(p->out, "| | |\n|---|---|\n");
    row(p, "Verdict", lk_arena_printf(p->arena, "**%s**", lk_verdict_name(v)));
    row(p, "Process",
        lk_arena_printf(p->arena, "pid %" PRId64 " %s", r->snap->pid,
                        cell_code(p, lk_sentence_command(p->arena, r->snap, SOURCE_COLUMNS))));
    row(p, "Runtime", plain(p, lk_sentence_runtime(p->arena, r->snap)));
    row(p, "Host", cell_code(p, r->snap->host ? r->snap->host : "?"));
    row(p, "Taken at", plain(p, r->snap->taken_at ? r->snap->taken_at : "?"));
    if (f)
        row(p, "Finding", plain(p, lk_sentence_rule(p->arena, f->rule)));
    const char *concerned = f ? lk_sentence_concerned(p->arena, f) : NULL;
    if (concerned)
        row(p, "Affects", plain(p, concerned));
    else if (f && lk_sentence_is_stuck(f)) {
        const char *held = lk_sentence_held(p->arena, f);
        if (f->stuck_ms != LK_UNKNOWN)
            row(p, "Stuck", plain(p, lk_sentence_since(p->arena, r->snap, f)));
        if (held)
            row(p, "Held up", plain(p, held));
    }
    if (f && f->culprits.n)
        row(p, "Where", cell_code(p, lk_sentence_place(p->arena, &f->culprits.v[0])));
    if (v == LK_VERDICT_UNKNOWN)
        row(p, "Why", plain(p, lk_sentence_why_unknown(p->arena, r)));
    row(p, "Threads", plain(p, lk_sentence_census(p->arena, r->snap)));
    row(p, "Examined by", plain(p, lk_sentence_looked(p->arena, r->snap)));
    if (children)
        row(p, "Not examined",
            lk_arena_printf(p->arena, "%s %s", plain(p, children),
                            cell_code(p, lk_sentence_children_command(p->arena, r->snap))));
    putc('\n', p->out);
}

/* ---- findings ------------------------------------------------------------------------- */

static void chain(struct page *p, const struct lk_snapshot *s, const struct lk_finding *f, bool all)
{
    const size_t n = all ? f->chain.n : LK_MIN(f->chain.n, (size_t)MAX_CHAIN);
    if (!n)
        return;
    fprintf(p->out, "<details><summary>The chain in words (each waits for the next)</summary>\n\n");
    for (size_t i = 0; i < n; i++) {
        const struct lk_edge *e = &f->chain.v[i];
        fprintf(p->out, "%zu. %s: %s &rarr; %s%s%s\n", i + 1,
                code(p, lk_sentence_label(p->arena, s, e->from)),
                plain(p, e->why ? e->why : "waits for"),
                code(p, lk_sentence_label(p->arena, s, e->to)),
                i && lk_ref_eq(e->to, f->chain.v[0].from) ? ", where it began" : "",
                plain(p, lk_sentence_edge_doubt(e)));
    }
    if (n < f->chain.n)
        fprintf(p->out, "\nand %zu more\n", f->chain.n - n);
    fprintf(p->out, "\n</details>\n\n");
}

static void culprit(struct page *p, const struct lk_snapshot *s, const struct lk_culprit *c)
{
    const char *who = lk_sentence_culprit(p->arena, s, c);
    fprintf(p->out, "**Where:** %s", code(p, lk_sentence_place(p->arena, c)));
    if (who)
        fprintf(p->out, ", %s", code(p, who));
    fprintf(p->out, "\n\n");
    if (c->source && *c->source)
        block(p, c->file && lk_ends_with(c->file, ".py") ? "python" : "",
              lk_words_safe(p->arena, c->source));
}

/* Titles and addresses come from the rule table, not from the target: an address may be a link. */
static void docs(struct page *p, const struct lk_rule *rule)
{
    if (!rule || !rule->docs[0])
        return;
    fprintf(p->out, "**Read**\n\n");
    for (size_t d = 0; d < LK_ARRAY_LEN(rule->docs) && rule->docs[d]; d++) {
        const bool link =
            lk_starts_with(rule->docs[d], "https://") && !strpbrk(rule->docs[d], " <>");
        fprintf(p->out, link ? "- <%s>\n" : "- %s\n",
                link ? rule->docs[d] : plain(p, rule->docs[d]));
    }
    putc('\n', p->out);
}

/* Texts of our own. */
static void example(struct page *p, const struct lk_rule *rule)
{
    const struct lk_explanation *x = rule ? lk_rule_explanation(rule) : NULL;
    if (!x)
        return;
    fprintf(p->out,
            "<details><summary>An example, and what would refute the finding</summary>\n\n");
    if (x->wrong) {
        fprintf(p->out, "Before:\n\n");
        block(p, x->language, x->wrong);
    }
    if (x->right) {
        fprintf(p->out, "After:\n\n");
        block(p, x->language, x->right);
    }
    fprintf(p->out, "%s\n\n</details>\n\n", plain(p, x->refuted));
}

static void finding(struct page *p, const struct lk_report *r, const struct lk_fold *v, size_t i)
{
    const struct lk_finding *f = &r->findings->list.v[i];
    fprintf(p->out, "## %s (%s, %s)\n\n%s\n\n", plain(p, lk_sentence_rule(p->arena, f->rule)),
            lk_verdict_name(f->severity), lk_confidence_name(f->confidence),
            plain(p, f->summary ? f->summary : ""));
    for (size_t c = 0; c < f->culprits.n && (p->how->all || c < MAX_CULPRITS); c++)
        culprit(p, r->snap, &f->culprits.v[c]);
    if (!p->how->all && f->culprits.n > MAX_CULPRITS)
        fprintf(p->out, "and %zu more places\n\n", f->culprits.n - MAX_CULPRITS);
    lk_markdown_graph(p->out, p->arena, r, f, v);
    chain(p, r->snap, f, p->how->all);
    const char *concerned = lk_sentence_concerned(p->arena, f),
               *stood = lk_sentence_stuck(p->arena, r->snap, f);
    if (concerned)
        fprintf(p->out, "**Affects:** %s\n\n", plain(p, concerned));
    else if (stood)
        fprintf(p->out, "**Stuck:** %s\n\n", plain(p, stood));
    fprintf(p->out, "**How sure:** %s\n\n", plain(p, lk_sentence_confidence(f->confidence)));
    if (f->evidence.n)
        fprintf(p->out, "**Evidence**\n\n");
    for (size_t e = 0; e < f->evidence.n && (p->how->all || e < MAX_EVIDENCE); e++)
        fprintf(p->out, "- %s\n", plain(p, f->evidence.v[e]));
    if (!p->how->all && f->evidence.n > MAX_EVIDENCE)
        fprintf(p->out, "- and %zu more\n", f->evidence.n - MAX_EVIDENCE);
    fprintf(p->out, "%s**Change:** %s\n\n", f->evidence.n ? "\n" : "",
            plain(p, lk_sentence_remedy(f)));
    if (lk_sentence_now(p->how, f))
        fprintf(p->out, "**Now:** %s\n\n", plain(p, lk_sentence_now(p->how, f)));
    example(p, f->rule);
    fprintf(p->out, "**Fingerprint:** %s, the same wherever this hang comes back\n\n",
            code(p, f->fingerprint));
    docs(p, f->rule);
}

/* ---- lists ---------------------------------------------------------------------------- */

static void add_stack(struct page *p, struct lk_strbuf *b, const struct lk_pystack *st)
{
    const size_t most = p->how->all ? SIZE_MAX : MAX_FRAMES;
    for (uint32_t i = 0; st && i < st->n && i < most; i++) {
        const bool user = lk_is_user_frame(&st->frames[i]);
        add_line(p, b, user ? "  * " : "    ", lk_sentence_frame(p->arena, &st->frames[i], 0));
        if (user && st->frames[i].source)
            add_line(p, b, "        ",
                     lk_words_cut(p->arena, st->frames[i].source, SOURCE_COLUMNS));
        const struct lk_locals *l = st->frames[i].locals;
        for (size_t k = 0; l && k < l->n; k++)
            add_line(p, b, "          ", lk_sentence_local(p->arena, &l->v[k]));
    }
    if (st && (st->n > most || st->truncated))
        add_line(p, b, "    ",
                 st->truncated ? "... the rest could not be read" : "... more frames");
}

static void add_native(struct page *p, struct lk_strbuf *b, const struct lk_natstack *st)
{
    const size_t most = p->how->all ? SIZE_MAX : MAX_FRAMES;
    if (!st || !st->n)
        return;
    add_line(p, b, "    ", "native:");
    for (uint32_t i = 0; i < st->n && i < most; i++)
        add_line(p, b, "    ", lk_sentence_native(p->arena, &st->frames[i]));
    if (st->n > most || st->truncated)
        add_line(p, b, "    ",
                 st->truncated ? "... the rest could not be read" : "... more frames");
}

/* Labels of the first members of a group. */
static const char *members(struct page *p, const struct lk_fold *v, enum lk_kind kind,
                           const struct lk_group *g)
{
    const struct lk_fold_kind *vk = &v->kinds[kind];
    struct lk_strbuf b = { 0 };
    size_t written = 0;
    for (uint32_t i = g->example; i < vk->n && written < MAX_NAMES && written < g->count;
         i = vk->next[i], written++)
        lk_strbuf_printf(&b, "%s%s", written ? ", " : "",
                         lk_sentence_label(p->arena, v->snap, lk_ref_make(kind, i)));
    if (g->count > written)
        lk_strbuf_printf(&b, " and %s more",
                         lk_words_number(p->arena, (int64_t)(g->count - written)));
    const char *ret = lk_arena_strdup(p->arena, b.s ? b.s : "");
    lk_strbuf_deinit(&b);
    return ret;
}

static void add_thread(struct page *p, struct lk_strbuf *b, const struct lk_fold *v,
                       const struct lk_group *g)
{
    const struct lk_thread *t = &v->snap->threads.v[g->example];
    const bool python = t->python_stack && t->python_stack->n;
    const char *state = lk_words_thread_state_name(lk_words_thread_state(t, g->blamed));
    const char *facts = g->count == 1 ? lk_sentence_thread_facts(p->arena, v->snap, t) : "";
    const char *names = members(p, v, LK_KIND_THREAD, g);
    if (g->count > 1)
        names = lk_arena_printf(p->arena, "%s: %s", lk_words_count(p->arena, g->count, "thread"),
                                names);
    add_line(p, b, "",
             lk_arena_printf(p->arena, "%s, %s%s%s", names, state, *facts ? ", " : "", facts));
    add_stack(p, b, t->python_stack);
    if (p->how->native || !python)
        add_native(p, b, t->native_stack);
}

static void add_task(struct page *p, struct lk_strbuf *b, const struct lk_fold *v,
                     const struct lk_group *g)
{
    const struct lk_task *k = &v->snap->tasks.v[g->example];
    const char *names = members(p, v, LK_KIND_TASK, g);
    if (g->count > 1)
        names =
            lk_arena_printf(p->arena, "%s: %s", lk_words_count(p->arena, g->count, "task"), names);
    add_line(p, b, "",
             lk_arena_printf(p->arena, "%s, %s", names, lk_sentence_task(p->arena, v->snap, k)));
    add_stack(p, b, k->stack);
}

static void add_described(struct page *p, struct lk_strbuf *b, const struct lk_group *g,
                          const char *id, const char *facts)
{
    const char *count = g->count > 1
                            ? lk_arena_printf(p->arena, " and %s more alike",
                                              lk_words_number(p->arena, (int64_t)g->count - 1))
                            : "";
    add_line(p, b, "", lk_arena_printf(p->arena, "%s%s: %s", id, count, facts));
}

static void add_loop(struct page *p, struct lk_strbuf *b, const struct lk_fold *v,
                     const struct lk_group *g)
{
    const struct lk_loop *l = &v->snap->loops.v[g->example];
    add_described(p, b, g, l->id, lk_sentence_loop(p->arena, v->snap, l));
}

static void add_executor(struct page *p, struct lk_strbuf *b, const struct lk_fold *v,
                         const struct lk_group *g)
{
    const struct lk_executor *x = &v->snap->executors.v[g->example];
    add_described(p, b, g, x->id, lk_sentence_executor(p->arena, v->snap, x));
}

static void add_lock(struct page *p, struct lk_strbuf *b, const struct lk_fold *v,
                     const struct lk_group *g)
{
    const struct lk_lock *l = &v->snap->locks.v[g->example];
    add_described(p, b, g, l->id, lk_sentence_lock(p->arena, v->snap, l));
}

/* Groups of named entities first, then in the order of their first members. Folding is the
 * format's: --all undoes it. */
static void details(struct page *p, const struct lk_fold *v, enum lk_kind kind, const char *noun,
                    void (*add)(struct page *, struct lk_strbuf *, const struct lk_fold *,
                                const struct lk_group *))
{
    const struct lk_fold_kind *vk = &v->kinds[kind];
    const size_t n = p->how->all ? vk->n : vk->n_groups;
    struct lk_strbuf b = { 0 };
    size_t written = 0, left = 0;
    if (!vk->n)
        return;
    for (int blamed = 1; blamed >= 0; blamed--) {
        for (size_t i = 0; i < n; i++) {
            const struct lk_group one = { .example = (uint32_t)i,
                                          .count = 1,
                                          .blamed = vk->blamed[i] };
            const struct lk_group *g = p->how->all ? &one : &vk->groups[i];
            if (g->blamed != blamed)
                continue;
            if (p->how->all || written < MAX_GROUPS)
                add(p, &b, v, g);
            else
                left += g->count;
            written++;
        }
    }
    if (left)
        add_line(
            p, &b, "",
            lk_arena_printf(p->arena, "... and %s more", lk_words_number(p->arena, (int64_t)left)));
    fprintf(p->out, "<details><summary>%s</summary>\n\n",
            lk_words_count(p->arena, (int64_t)lk_snapshot_count(v->snap, kind), noun));
    block(p, "text", b.s ? b.s : "");
    fprintf(p->out, "</details>\n\n");
    lk_strbuf_deinit(&b);
}

static void limits(struct page *p, const struct lk_report *r)
{
    const struct lk_snapshot *s = r->snap;
    if (!s->limits.n)
        return;
    fprintf(p->out, "<details><summary>What could not be read (%zu)</summary>\n\n", s->limits.n);
    for (size_t i = 0; i < s->limits.n; i++) {
        const char *more = p->how->verbose ? lk_sentence_limit(p->arena, s, &s->limits.v[i]) : NULL;
        fprintf(p->out, "- %s\n", plain(p, s->limits.v[i].text));
        if (more)
            fprintf(p->out, "  - %s\n", plain(p, more));
    }
    fprintf(p->out, "\n</details>\n\n");
}

/* Who moved between the samples. */
static void timeline(struct page *p, const struct lk_report *r)
{
    const struct lk_snapshot *s = r->snap;
    if (s->samples.n < 2)
        return;
    fprintf(p->out, "<details><summary>Who moved (%zu samples)</summary>\n\n", s->samples.n);
    struct lk_map tids = { 0 };
    for (size_t i = 0; i < s->threads.n; i++)
        lk_map_put(&tids, (uint64_t)s->threads.v[i].tid, i);
    for (size_t i = 1; i < s->samples.n; i++) {
        const struct lk_sample *m = &s->samples.v[i];
        struct lk_strbuf b = { 0 };
        uint64_t at;
        for (size_t k = 0, written = 0; k < m->n_moved && written < MAX_NAMES; k++)
            if (lk_map_get(&tids, (uint64_t)m->moved_tids[k], &at))
                lk_strbuf_printf(&b, "%s%s", written++ ? ", " : ": ",
                                 lk_sentence_thread(p->arena, &s->threads.v[at]));
        fprintf(p->out, "- sample %zu, at %s: %zu of %s moved%s\n", i + 1,
                lk_words_duration(p->arena, m->at_ms), m->n_moved,
                lk_words_count(p->arena, (int64_t)s->threads.n, "thread"),
                plain(p, b.s ? b.s : ""));
        lk_strbuf_deinit(&b);
    }
    lk_map_deinit(&tids);
    fprintf(p->out, "\n</details>\n\n");
}

/* What a rule weighed and did not find to be so. */
static void ruled_out(struct page *p, const struct lk_report *r)
{
    const struct lk_findings *f = r->findings;
    if (!f->ruled_out.n)
        return;
    fprintf(p->out, "<details><summary>Near misses that were ruled out (%zu)</summary>\n\n",
            f->ruled_out.n);
    for (size_t i = 0; i < f->ruled_out.n; i++) {
        const struct lk_ruled_out *out = &f->ruled_out.v[i];
        fprintf(p->out, "- **%s** %s: %s\n", plain(p, lk_sentence_rule(p->arena, out->rule)),
                plain(p, lk_sentence_parties(p->arena, r->snap, out)), plain(p, out->why));
    }
    fprintf(p->out, "\n</details>\n\n");
}

static void environment(struct page *p, const struct lk_report *r)
{
    const struct lk_snapshot *s = r->snap;
    struct lk_environment_row rows[LK_ENVIRONMENT_ROWS];
    const size_t n = lk_environment(p->arena, s, rows);
    fprintf(p->out, "<details><summary>Environment</summary>\n\n| | |\n|---|---|\n");
    for (size_t i = 0; i < n; i++)
        if (!rows[i].first)
            row(p, rows[i].name, cell_code(p, rows[i].text));
    fprintf(p->out, "\n</details>\n\n");
}

/* ---- the page ------------------------------------------------------------------------- */

/* A part of the page: whole, or not at all where the ticket has no room for it. */
static FILE *part_begin(struct page *p, struct lk_memory_stream **m)
{
    FILE *ticket = p->out;
    *m = lk_memory_stream_open(&p->out);
    return ticket;
}

static void part_end(struct page *p, struct lk_memory_stream *m, FILE *ticket)
{
    size_t size;
    const char *text = lk_memory_stream_text(m, p->arena, &size);
    p->out = ticket;
    if (size > p->left && !p->how->all) {
        p->left_out++;
        return;
    }
    p->left -= LK_MIN(size, p->left);
    fwrite(text, 1, size, ticket);
}

static void report(struct page *p, const struct lk_report *reports, size_t n, size_t i)
{
    static const struct {
        enum lk_kind kind;
        const char *noun;
        void (*add)(struct page *, struct lk_strbuf *, const struct lk_fold *,
                    const struct lk_group *);
    } lists[] = {
        { LK_KIND_THREAD, "thread", add_thread },
        { LK_KIND_LOOP, "loop", add_loop },
        { LK_KIND_TASK, "task", add_task },
        { LK_KIND_LOCK, "lock", add_lock },
        { LK_KIND_EXECUTOR, "executor", add_executor },
    };
    static void (*const rest[])(struct page *, const struct lk_report *) = { ruled_out, timeline,
                                                                             limits, environment };
    const struct lk_report *r = &reports[i];
    const struct lk_fold *v = lk_fold_create(p->arena, r, SIZE_MAX);
    struct lk_memory_stream *m;
    FILE *ticket = part_begin(p, &m);
    fprintf(p->out, "# %s: pid %" PRId64 " %s\n\n", upper_verdict(p, r->findings->verdict),
            r->snap->pid, code(p, lk_sentence_command(p->arena, r->snap, 60)));
    summary_table(p, reports, n, i);
    part_end(p, m, ticket);
    for (size_t f = 0; f < r->findings->list.n; f++) {
        part_begin(p, &m);
        finding(p, r, v, f);
        part_end(p, m, ticket);
    }
    for (size_t k = 0; k < LK_ARRAY_LEN(lists); k++) {
        part_begin(p, &m);
        details(p, v, lists[k].kind, lists[k].noun, lists[k].add);
        part_end(p, m, ticket);
    }
    for (size_t k = 0; k < LK_ARRAY_LEN(rest); k++) {
        part_begin(p, &m);
        rest[k](p, r);
        part_end(p, m, ticket);
    }
}

/* What did not fit, and how it can be seen. */
static void page_end(struct page *p, const struct lk_report *reports, size_t n)
{
    if (p->left_out)
        fprintf(p->out,
                "**Cut here:** %s did not fit into a ticket of 65,536 characters. "
                "`loopknot --format markdown --all%s %" PRId64 "` shows them.\n\n",
                lk_words_count(p->arena, (int64_t)p->left_out, "part"), n > 1 ? " --tree" : "",
                n ? reports[0].snap->pid : 0);
    fprintf(p->out, "<sub>loopknot %s</sub>\n", lk_tool_version());
}

static void overview(struct page *p, const struct lk_report *reports, size_t n,
                     const struct lk_process_groups *set)
{
    fprintf(p->out, "# %s: %s examined\n\n", upper_verdict(p, lk_sentence_worst(reports, n)),
            lk_words_count(p->arena, (int64_t)n, "process"));
    for (size_t i = 0; i < set->n_groups; i++) {
        const struct lk_process_groups_group *g = &set->groups[i];
        const struct lk_report *r = &reports[g->members[0]];
        const char *role = g->role ? lk_arena_printf(p->arena, "%s, ", plain(p, g->role)) : "";
        fprintf(p->out, "- **%s** %s%s: %s", upper_verdict(p, r->findings->verdict), role,
                lk_process_groups_pids(p->arena, reports, g, PIDS_NAMED),
                code(p, lk_sentence_command(p->arena, r->snap, 60)));
        for (size_t f = 0; f < r->findings->list.n && r->findings->list.v[f].rule; f++)
            fprintf(p->out, ", %s", plain(p, r->findings->list.v[f].rule->id));
        putc('\n', p->out);
    }
    putc('\n', p->out);
}

/* As in text: one of each group, and of what is healthy beside something that is not, nothing but
 * its line above. */
static void write_set(struct page *p, const struct lk_report *reports, size_t n)
{
    struct lk_arena *outer = p->arena = lk_arena_create();
    const struct lk_process_groups set = lk_process_groups_create(outer, reports, n, p->how->all);
    const enum lk_verdict worst = lk_sentence_worst(reports, n);
    struct lk_memory_stream *m;
    FILE *ticket = part_begin(p, &m);
    overview(p, reports, n, &set);
    part_end(p, m, ticket);
    for (size_t g = 0; g < set.n_groups; g++) {
        const size_t i = set.groups[g].members[0];
        if (!p->how->all && worst != LK_HEALTHY && reports[i].findings->verdict == LK_HEALTHY)
            continue;
        p->arena = lk_arena_create();
        report(p, reports, n, i);
        lk_arena_destroy(p->arena);
    }
    p->arena = outer;
    page_end(p, reports, n);
    lk_arena_destroy(outer);
}

bool lk_markdown_write(const struct lk_report *reports, size_t n, bool set,
                       const struct lk_render *how, FILE *out)
{
    struct page p = { .out = out, .how = how, .left = MAX_TICKET };
    if (set || n != 1) {
        write_set(&p, reports, n);
    } else {
        p.arena = lk_arena_create();
        report(&p, reports, n, 0);
        page_end(&p, reports, n);
        lk_arena_destroy(p.arena);
    }
    return fflush(out) == 0 && !ferror(out);
}

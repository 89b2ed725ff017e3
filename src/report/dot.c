/*
 * The wait-for graphs of the findings for graphviz: a cluster a finding, an edge for each link of
 * its chain, and what is held up behind it. Strings are quoted as the DOT language has it: in
 * double quotes a double quote is escaped, and a backslash too, since labels know escapes of their
 * own (https://graphviz.org/docs/attr-types/escString/).
 */
#include "report/formats.h"

#include <inttypes.h>

#include "report/drawing.h"
#include "report/sentences.h"

#define LABEL_COLUMNS   80
#define COMMAND_COLUMNS 80

struct page {
    FILE *out;
    struct lk_arena *arena;
};

static void quoted(struct page *p, const char *text)
{
    for (const char *s = lk_words_cut(p->arena, text, LABEL_COLUMNS); *s; s++) {
        if (*s == '"' || *s == '\\')
            putc('\\', p->out);
        putc(*s, p->out);
    }
}

static const char *shape_of(enum lk_kind k)
{
    static const char *const shapes[] = {
        [LK_KIND_THREAD] = "box",  [LK_KIND_LOOP] = "ellipse", [LK_KIND_TASK] = "box",
        [LK_KIND_FUTURE] = "oval", [LK_KIND_LOCK] = "diamond", [LK_KIND_EXECUTOR] = "box3d",
        [LK_KIND_EXTERN] = "cds",
    };
    return (unsigned)k < LK_ARRAY_LEN(shapes) && shapes[k] ? shapes[k] : "box";
}

static void node(struct page *p, const char *prefix, size_t i, const struct lk_drawing_node *n)
{
    fprintf(p->out, "    %s%zu [shape=%s", prefix, i, shape_of(n->ref.kind));
    if (n->culprit)
        fputs(", color=red, penwidth=2", p->out);
    if (n->ref.kind == LK_KIND_TASK || !n->chain)
        fprintf(p->out, ", style=%s", n->chain ? "rounded" : "dashed");
    fputs(", label=\"", p->out);
    quoted(p, n->label);
    if (n->place) {
        fputs("\\n", p->out);
        quoted(p, n->place);
    }
    fputs("\"];\n", p->out);
}

static void edge(struct page *p, const char *prefix, const struct lk_drawing_edge *e)
{
    fprintf(p->out, "    %s%zu -> %s%zu [label=\"", prefix, e->from, prefix, e->to);
    quoted(p, e->why);
    quoted(p, e->doubt);
    if (e->chain && e->count > 1)
        fprintf(p->out, " (%u times)", e->count);
    fprintf(p->out, "\"%s];\n", e->chain ? ", color=red" : ", style=dashed");
}

static void finding(struct page *p, const struct lk_report *r, const struct lk_fold *view, size_t i,
                    size_t number)
{
    const struct lk_finding *f = &r->findings->list.v[i];
    const struct lk_drawing d = lk_drawing_create(p->arena, r, f, view);
    const char *prefix = lk_arena_printf(p->arena, "p%zuf%zun", number, i);
    fprintf(p->out, "  subgraph cluster_%zu_%zu {\n    label=\"", number, i);
    quoted(p, lk_arena_printf(p->arena, "%s: %s, %s (%s)", lk_sentence_rule(p->arena, f->rule),
                              lk_verdict_name(f->severity), lk_confidence_name(f->confidence),
                              f->fingerprint));
    fputs("\";\n", p->out);
    for (size_t n = 0; n < d.n_nodes; n++)
        node(p, prefix, n, &d.nodes[n]);
    for (size_t e = 0; e < d.n_edges; e++)
        edge(p, prefix, &d.edges[e]);
    /* A finding without a chain still stands where its first culprit does. */
    for (size_t c = 0; !d.n_nodes && c < f->culprits.n && c < 1; c++) {
        fprintf(p->out, "    %s0 [shape=box, color=red, label=\"", prefix);
        quoted(p, lk_sentence_place(p->arena, &f->culprits.v[c]));
        fputs("\"];\n", p->out);
    }
    fputs("  }\n", p->out);
}

bool lk_dot_write(const struct lk_report *reports, size_t n, bool set, const struct lk_render *how,
                  FILE *out)
{
    struct page p = { .out = out, .arena = lk_arena_create() };
    (void)set;
    (void)how;
    fputs("digraph loopknot {\n  labelloc=t;\n  label=\"", out);
    for (size_t i = 0; i < n; i++) {
        quoted(&p,
               lk_arena_printf(p.arena, "%s: pid %" PRId64 " %s",
                               lk_verdict_name(reports[i].findings->verdict), reports[i].snap->pid,
                               lk_sentence_command(p.arena, reports[i].snap, COMMAND_COLUMNS)));
        fputs("\\n", out);
    }
    fputs("\";\n  node [fontname=\"sans-serif\", fontsize=11];\n"
          "  edge [fontname=\"sans-serif\", fontsize=10];\n",
          out);
    for (size_t i = 0; i < n; i++) {
        const struct lk_fold *view = lk_fold_create(p.arena, &reports[i], SIZE_MAX);
        for (size_t f = 0; f < reports[i].findings->list.n; f++)
            finding(&p, &reports[i], view, f, i);
    }
    fputs("}\n", out);
    lk_arena_destroy(p.arena);
    return fflush(out) == 0 && !ferror(out);
}

/*
 * Mermaid's flowchart: nodes and edges with quoted texts, in which any character may be written as
 * an entity code, #NUMBER; (mermaid, "Flowcharts - Basic Syntax", Entity codes to escape
 * characters). All ASCII but letters, digits and harmless punctuation is: no name ends its text,
 * its line or the block, begins a directive or becomes HTML.
 */
#include "report/markdown_graph.h"

#include <ctype.h>
#include <string.h>

#include "diagnose/wording/text.h"
#include "report/drawing.h"

enum { LABEL_COLUMNS = 60 };

static void text(FILE *out, struct lk_arena *a, const char *s)
{
    s = lk_words_cut(a, s, LABEL_COLUMNS);
    if (!*s) /* an empty text is a syntax error */
        fputs("#160;", out);
    for (; *s; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c >= 0x80 || isalnum(c) || strchr(" .,:()/_-+=", c))
            putc(c, out);
        else
            fprintf(out, "#%d;", c);
    }
}

static void node(FILE *out, struct lk_arena *a, size_t i, const struct lk_drawing_node *n)
{
    const bool thing = n->ref.kind != LK_KIND_THREAD && n->ref.kind != LK_KIND_TASK;
    fprintf(out, "  n%zu%s\"", i, thing ? "([" : "[");
    text(out, a, n->label);
    if (n->place) {
        fputs("<br/>", out);
        text(out, a, n->place);
    }
    fprintf(out, "\"%s%s\n", thing ? "])" : "]",
            n->culprit  ? ":::culprit"
            : !n->chain ? ":::behind"
                        : "");
}

static void edge(FILE *out, struct lk_arena *a, const struct lk_drawing_edge *e)
{
    fprintf(out, "  n%zu %s|\"", e->from, e->chain ? "-->" : "-.->");
    text(out, a, lk_arena_printf(a, "%s%s", e->why, e->doubt));
    if (e->chain && e->count > 1)
        fprintf(out, " (%u times)", e->count);
    fprintf(out, "\"| n%zu\n", e->to);
}

void lk_markdown_graph(FILE *out, struct lk_arena *a, const struct lk_report *r,
                       const struct lk_finding *f, const struct lk_fold *view)
{
    const struct lk_drawing d = lk_drawing_create(a, r, f, view);
    if (!d.n_nodes)
        return;
    fputs("```mermaid\nflowchart TD\n", out);
    for (size_t i = 0; i < d.n_nodes; i++)
        node(out, a, i, &d.nodes[i]);
    for (size_t i = 0; i < d.n_edges; i++)
        edge(out, a, &d.edges[i]);
    fputs("  classDef culprit stroke:#cf222e,stroke-width:3px\n"
          "  classDef behind stroke-dasharray:5 4\n```\n\n",
          out);
}

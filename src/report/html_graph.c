/*
 * The picture of a finding as SVG: a ring in two columns, down the left one and up the right one, a
 * chain in one; what is held up behind it in rows below. Widths of texts are estimated, since
 * nothing is measured here. Its words stand beside it as a list, for who does not see it.
 */
#include "report/html_writer.h"

#include <string.h>

#include "report/sentences.h"

enum {
    NODE_WIDTH = 300,
    NODE_HEIGHT = 52,
    COLUMN = 510, /* from the middle of a column to the next one's */
    ROW = 128,    /* from the middle of a row to the next one's */
    MARGIN = 12,
    BEHIND_GAP = 44, /* between the chain and what is behind it */
    BEHIND_ROW = 68,
    LANE = 14,
    LEAST_WIDTH = 560, /* narrower it can no longer be read: it scrolls */
    LABEL_LINE = 15,
    LABEL_COLUMNS = 27,
    NODE_COLUMNS = 40,
    MAX_LABEL_LINES = 4,
};

struct point {
    double x, y;
};

struct picture {
    struct lk_html *h;
    const struct lk_drawing *d;
    struct point *at; /* the middle of each node */
    double width, height;
};

/* ---- layout ---------------------------------------------------------------------------------- */

static void place_chain(struct picture *p)
{
    const struct lk_drawing *d = p->d;
    const size_t n = d->n_chain, left = d->ring ? (n + 1) / 2 : n, right = n - left;
    const double x = MARGIN + NODE_WIDTH / 2.0, y = MARGIN + NODE_HEIGHT / 2.0;
    for (size_t i = 0; i < n; i++) {
        const bool on_left = i < left;
        /* fewer on the right: in the middle of it */
        const double row =
            on_left ? (double)i : (double)(n - 1 - i) + ((double)left - (double)right) / 2.0;
        p->at[i] = (struct point){ x + (on_left ? 0 : COLUMN), y + row * ROW };
    }
    p->width = 2 * MARGIN + NODE_WIDTH + (right ? COLUMN : 0);
    p->height = left ? 2 * MARGIN + NODE_HEIGHT + (double)(left - 1) * ROW : 0;
    if (n == 1 && d->ring)
        p->width += 150; /* an edge to itself */
}

/* The node of the chain that one behind it waits for. */
static size_t target_of(const struct lk_drawing *d, size_t node)
{
    for (size_t i = 0; i < d->n_edges; i++)
        if (d->edges[i].from == node && !d->edges[i].chain)
            return d->edges[i].to;
    return 0;
}

/* Below the chain, on the side of what it waits for: its edge goes up a lane of its own beside the
 * picture, and crosses nothing. */
static void place_behind(struct picture *p)
{
    const struct lk_drawing *d = p->d;
    const double left = p->at[0].x, top = p->height + BEHIND_GAP + NODE_HEIGHT / 2.0;
    size_t rows[2] = { 0 };
    for (size_t i = d->n_chain; i < d->n_nodes; i++) {
        const bool right = p->at[target_of(d, i)].x > left + 1;
        p->at[i] = (struct point){ right ? left + COLUMN : left,
                                   top + (double)rows[right]++ * BEHIND_ROW };
    }
    const size_t most = LK_MAX(rows[0], rows[1]);
    if (most)
        p->height = top + (double)(most - 1) * BEHIND_ROW + NODE_HEIGHT / 2.0 + MARGIN;
    for (size_t i = 0; i < d->n_nodes; i++)
        p->at[i].x += (double)rows[0] * LANE;
    p->width += (double)(rows[0] + rows[1]) * LANE;
}

/* Where the line from the middle of a node to another point leaves the node. */
static struct point border(struct point from, struct point to)
{
    const double dx = to.x - from.x, dy = to.y - from.y;
    const double half_w = NODE_WIDTH / 2.0, half_h = NODE_HEIGHT / 2.0 + 1;
    double t = 1;
    if (dx > 0 || dx < 0)
        t = LK_MIN(t, half_w / (dx > 0 ? dx : -dx));
    if (dy > 0 || dy < 0)
        t = LK_MIN(t, half_h / (dy > 0 ? dy : -dy));
    return (struct point){ from.x + dx * t, from.y + dy * t };
}

/* ---- drawing --------------------------------------------------------------------------------- */

/* Lines of a label, broken at blanks, around a point. */
static void label(struct picture *p, struct point at, const char *text)
{
    const char *line[MAX_LABEL_LINES];
    size_t n = 0;
    char *rest = lk_arena_strdup(
        p->h->arena, lk_words_cut(p->h->arena, text, LABEL_COLUMNS * MAX_LABEL_LINES - 20));
    while (*rest && n < MAX_LABEL_LINES) {
        char *end = rest, *last = NULL;
        for (; *end && (size_t)(end - rest) < LABEL_COLUMNS; end++)
            if (*end == ' ')
                last = end;
        line[n++] = rest;
        if (!*end || n == MAX_LABEL_LINES)
            break;
        if (!last) /* a word that is longer than a line is not broken */
            last = end + strcspn(end, " ");
        rest = *last ? last + 1 : last;
        *last = '\0';
    }
    for (size_t i = 0; i < n; i++) {
        fprintf(p->h->out, "<text class=\"why\" x=\"%.0f\" y=\"%.0f\">", at.x,
                at.y + ((double)i - ((double)n - 1) / 2) * LABEL_LINE + 4);
        lk_html_text(p->h, line[i]);
        lk_html_raw(p->h, "</text>\n");
    }
}

static bool is_opposed(const struct lk_drawing *d, const struct lk_drawing_edge *e)
{
    for (size_t i = 0; i < d->n_edges; i++)
        if (d->edges[i].from == e->to && d->edges[i].to == e->from)
            return true;
    return false;
}

/* How far an edge bends away from the straight line: those that would lie upon another one, or
 * would cross nodes of their own column. */
static double bend_of(const struct picture *p, const struct lk_drawing_edge *e)
{
    const struct point a = p->at[e->from], b = p->at[e->to];
    const bool column = a.x - b.x < 1 && b.x - a.x < 1;
    if (e->chain && is_opposed(p->d, e))
        return 60;
    if (column && (b.y - a.y > ROW + 1 || a.y - b.y > ROW + 1))
        return NODE_WIDTH / 2.0 + 60;
    return 0;
}

/* Up a lane beside the picture: the further down it begins, the further out. */
static void behind_edge(struct picture *p, const struct lk_drawing_edge *e)
{
    const struct point a = p->at[e->from], b = p->at[e->to];
    const double side = b.x > p->at[0].x + 1 ? 1 : -1;
    double lane = 1;
    for (size_t i = p->d->n_chain; i < e->from; i++)
        lane += p->at[i].x - a.x < 1 && a.x - p->at[i].x < 1;
    const double x = a.x + side * (NODE_WIDTH / 2.0 + lane * LANE - 4),
                 out = a.x + side * NODE_WIDTH / 2.0, in = b.x + side * (NODE_WIDTH / 2.0 + 1);
    fprintf(p->h->out,
            "<path class=\"edge behind\" marker-end=\"url(#dim%zu)\" d=\"M%.0f "
            "%.0fH%.0fV%.0fH%.0f\"/>\n",
            p->h->number, out, a.y, x, b.y + lane * 4 - 10, in);
}

static void self_edge(struct picture *p, const struct lk_drawing_edge *e, const char *why)
{
    const struct point a = p->at[e->from];
    const double x = a.x + NODE_WIDTH / 2.0;
    if (why)
        label(p, (struct point){ x + 90, a.y }, why);
    else
        fprintf(p->h->out,
                "<path class=\"edge\" marker-end=\"url(#arrow%zu)\" d=\"M%.0f %.0fC%.0f %.0f "
                "%.0f %.0f %.0f %.0f\"/>\n",
                p->h->number, x, a.y - 12, x + 50, a.y - 40, x + 50, a.y + 40, x, a.y + 12);
}

/* A line, or, with why, its label. */
static void chain_edge(struct picture *p, const struct lk_drawing_edge *e, const char *why)
{
    const struct point a = p->at[e->from], b = p->at[e->to];
    const double bend = bend_of(p, e), dx = b.x - a.x, dy = b.y - a.y;
    const double scale = bend / (dx > 0 || dx < 0 ? (dx > 0 ? dx : -dx) : (dy > 0 ? dy : -dy) + 1);
    const struct point mid = { (a.x + b.x) / 2 - dy * scale, (a.y + b.y) / 2 + dx * scale };
    const struct point from = border(a, mid), to = border(b, mid);
    if (why)
        label(p, (struct point){ (from.x + to.x) / 4 + mid.x / 2, (from.y + to.y) / 4 + mid.y / 2 },
              why);
    else
        fprintf(p->h->out,
                "<path class=\"edge\" marker-end=\"url(#arrow%zu)\" d=\"M%.1f %.1fQ%.1f %.1f %.1f "
                "%.1f\"/>\n",
                p->h->number, from.x, from.y, mid.x, mid.y, to.x, to.y);
}

/* Lines first, their labels over the nodes. */
static void edge(struct picture *p, const struct lk_drawing_edge *e, bool labels)
{
    struct lk_arena *a = p->h->arena;
    const char *why = !labels ? NULL
                      : e->count > 1
                          ? lk_arena_printf(a, "%s%s (%u times)", e->why, e->doubt, e->count)
                          : lk_arena_printf(a, "%s%s", e->why, e->doubt);
    if (!e->chain && !labels)
        behind_edge(p, e);
    else if (e->chain && e->from == e->to)
        self_edge(p, e, why);
    else if (e->chain)
        chain_edge(p, e, why);
}

static void node(struct picture *p, size_t i)
{
    static const int rounded[LK_N_KINDS] = {
        [LK_KIND_THREAD] = 4,  [LK_KIND_LOOP] = 26, [LK_KIND_TASK] = 14,
        [LK_KIND_FUTURE] = 26, [LK_KIND_LOCK] = 0,  [LK_KIND_EXECUTOR] = 4
    };
    const struct lk_drawing_node *n = &p->d->nodes[i];
    const struct point at = p->at[i];
    struct lk_arena *a = p->h->arena;
    const int r = (unsigned)n->ref.kind < LK_N_KINDS ? rounded[n->ref.kind] : 0;
    fprintf(p->h->out,
            "<g class=\"node%s%s\"><rect x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\" "
            "rx=\"%d\"/>",
            n->culprit ? " culprit" : "", n->chain ? "" : " behind", at.x - NODE_WIDTH / 2.0,
            at.y - NODE_HEIGHT / 2.0, NODE_WIDTH, NODE_HEIGHT, r);
    lk_html_put(p->h, "<title>$$$</title>", n->label, n->place ? ": " : "",
                n->place ? n->place : "");
    fprintf(p->h->out, "<text class=\"name\" x=\"%.0f\" y=\"%.0f\">", at.x,
            at.y + (n->place ? -4 : 5));
    lk_html_text(p->h, lk_words_cut(a, n->label, NODE_COLUMNS));
    lk_html_raw(p->h, "</text>");
    if (n->place) {
        fprintf(p->h->out, "<text class=\"place\" x=\"%.0f\" y=\"%.0f\">", at.x, at.y + 14);
        lk_html_text(p->h, lk_words_cut(a, n->place, NODE_COLUMNS));
        lk_html_raw(p->h, "</text>");
    }
    lk_html_raw(p->h, "</g>\n");
}

static void arrow_heads(struct lk_html *h)
{
    static const char *const names[] = { "arrow", "dim" };
    lk_html_raw(h, "<defs>");
    for (size_t i = 0; i < LK_ARRAY_LEN(names); i++)
        fprintf(
            h->out,
            "<marker id=\"%s%zu\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" "
            "markerHeight=\"8\" orient=\"auto-start-reverse\"><path class=\"head %s\" d=\"M0 "
            "0L10 5L0 10z\"/></marker>",
            names[i], h->number, names[i]);
    lk_html_raw(h, "</defs>\n");
}

static void svg(struct picture *p, const char *title)
{
    struct lk_html *h = p->h;
    fprintf(h->out,
            "<svg role=\"img\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" "
            "style=\"min-width:%.0fpx\" xmlns=\"http://www.w3.org/2000/svg\" aria-label=\"",
            p->width, p->height, p->width, p->height, LK_MIN(p->width, (double)LEAST_WIDTH));
    lk_html_text(h, title);
    lk_html_raw(h, "\">\n");
    arrow_heads(h);
    for (size_t i = 0; i < p->d->n_edges; i++)
        edge(p, &p->d->edges[i], false);
    for (size_t i = 0; i < p->d->n_nodes; i++)
        node(p, i);
    for (size_t i = 0; i < p->d->n_edges; i++)
        edge(p, &p->d->edges[i], true);
    lk_html_raw(h, "</svg>\n");
}

/* ---- in words -------------------------------------------------------------------------------- */

static void in_words(struct lk_html *h, const struct lk_finding *f)
{
    enum { MOST = 60 };
    const struct lk_snapshot *s = h->report->snap;
    const size_t n = h->how->all ? f->chain.n : LK_MIN(f->chain.n, (size_t)MOST);
    lk_html_raw(h, "<details class=\"fold\" open><summary>The chain in words</summary><ol>\n");
    for (size_t i = 0; i < n; i++) {
        const struct lk_edge *e = &f->chain.v[i];
        const bool closes = i && lk_ref_eq(e->to, f->chain.v[0].from);
        lk_html_put(h, "<li><b>$</b> $ <b>$</b>$$ <span class=\"dim\">read $</span></li>\n",
                    lk_sentence_label(h->arena, s, e->from), e->why ? e->why : "waits for",
                    lk_sentence_label(h->arena, s, e->to), closes ? ", where it began" : "",
                    lk_sentence_edge_doubt(e), lk_words_read(e->read));
    }
    lk_html_raw(h, "</ol>");
    if (n < f->chain.n)
        lk_html_put(h, "<p>and $ more links; the JSON report has them</p>",
                    lk_html_number(h, (int64_t)(f->chain.n - n)));
    lk_html_raw(h, "</details>\n");
}

void lk_html_graph(struct lk_html *h, size_t finding)
{
    const struct lk_finding *f = &h->report->findings->list.v[finding];
    const struct lk_drawing d = lk_drawing_create(h->arena, h->report, f, h->view);
    struct picture p = { .h = h, .d = &d };
    if (!d.n_nodes)
        return;
    h->number++;
    p.at = lk_arena_array(h->arena, d.n_nodes, sizeof *p.at);
    place_chain(&p);
    place_behind(&p);
    lk_html_raw(h, "<figure class=\"graph\">\n");
    svg(&p, lk_arena_printf(
                h->arena, "wait-for graph of %s: %s of %zu parties, told in words below",
                f->rule ? f->rule->id : "the finding", d.ring ? "a ring" : "a chain", d.n_chain));
    lk_html_raw(h, "</figure>\n");
    if (d.left_out)
        lk_html_put(h, "<p class=\"dim\">$ more wait behind it.</p>\n",
                    lk_words_number(h->arena, (int64_t)d.left_out));
    in_words(h, f);
}

/*
 * Shortest cycles and paths, breadth first, over the edges as they were indexed (wait_graph.c). One
 * question costs no more than the part of the graph it touches: stamps of an epoch instead of
 * cleared arrays.
 */
#include "diagnose/graph/graph.h"

#include "diagnose/graph/graph_internal.h"

/* Writes the edges that led to node i, in order; how many there are. */
static size_t write_path(const struct lk_graph *g, uint32_t start, uint32_t last_edge,
                         struct lk_edge *ret, size_t max)
{
    const struct lk_graph_work *w = g->work;
    size_t length = 1;
    for (uint32_t i = w->from[last_edge]; i != start; i = w->from[w->via[i]])
        length++;
    size_t at = length;
    for (uint32_t e = last_edge;; e = w->via[w->from[e]]) {
        if (--at < max)
            ret[at] = g->edges[e];
        if (at == 0)
            return length;
    }
}

static bool unseen(struct lk_graph_work *w, uint32_t i)
{
    if (w->stamp[i] == w->epoch)
        return false;
    w->stamp[i] = w->epoch;
    return true;
}

/* One breadth-first question. in_knot: only edges that block, inside the root's component; within:
 * only to marked nodes. */
struct search {
    uint32_t root;
    bool in_knot;
    const bool *within;
    bool (*stop)(const struct lk_graph *, const struct lk_node *, void *);
    void *arg;
};

static bool may_follow(const struct lk_graph *g, const struct search *q, uint32_t edge)
{
    uint32_t to = g->work->to[edge];
    if (q->within && !q->within[to])
        return false;
    return !q->in_knot || (lk_edge_is_inside(g, edge, g->nodes[q->root].scc) && g->nodes[to].knot);
}

static size_t search(const struct lk_graph *g, const struct search *q, struct lk_edge *ret,
                     size_t max)
{
    struct lk_graph_work *w = g->work;
    w->epoch++;
    unseen(w, q->root);
    size_t head = 0, tail = 0;
    w->queue[tail++] = q->root;
    for (; head < tail; head++) {
        const struct lk_node *n = &g->nodes[w->queue[head]];
        for (size_t k = 0; k < n->n_edges; k++) {
            uint32_t e = (uint32_t)lk_edge_index(g, &n->edges[k]), to = w->to[e];
            if (!may_follow(g, q, e))
                continue;
            if (q->stop(g, &g->nodes[to], q->arg))
                return write_path(g, q->root, e, ret, max);
            if (!unseen(w, to))
                continue;
            w->via[to] = e;
            w->queue[tail++] = to;
        }
    }
    return 0;
}

static bool is_node(const struct lk_graph *g, const struct lk_node *n, void *arg)
{
    (void)g;
    return n == arg;
}

static bool is_marked(const struct lk_graph *g, const struct lk_node *n, void *arg)
{
    return ((const bool *)arg)[n - g->nodes];
}

size_t lk_graph_cycle(const struct lk_graph *g, struct lk_ref ref, struct lk_edge *ret, size_t max)
{
    uint32_t root = lk_graph_index(g, ref);
    if (root == LK_NO_NODE || !g->nodes[root].knot)
        return 0;
    return search(g, &(struct search){ root, true, NULL, is_node, &g->nodes[root] }, ret, max);
}

size_t lk_graph_knot_path(const struct lk_graph *g, struct lk_ref from, bool *to,
                          struct lk_edge *ret, size_t max)
{
    uint32_t root = lk_graph_index(g, from);
    if (root == LK_NO_NODE || !g->nodes[root].knot || to[root])
        return 0;
    return search(g, &(struct search){ root, true, NULL, is_marked, to }, ret, max);
}

size_t lk_graph_path(const struct lk_graph *g, struct lk_ref from,
                     bool (*stop)(const struct lk_graph *, const struct lk_node *, void *),
                     void *arg, struct lk_edge *ret, size_t max)
{
    uint32_t root = lk_graph_index(g, from);
    if (root == LK_NO_NODE || stop(g, &g->nodes[root], arg))
        return 0;
    return search(g, &(struct search){ root, false, NULL, stop, arg }, ret, max);
}

size_t lk_graph_path_within(const struct lk_graph *g, struct lk_ref from, struct lk_ref to,
                            const bool *within, struct lk_edge *ret, size_t max)
{
    uint32_t root = lk_graph_index(g, from), end = lk_graph_index(g, to);
    if (root == LK_NO_NODE || end == LK_NO_NODE || root == end)
        return 0;
    return search(g, &(struct search){ root, false, within, is_node, &g->nodes[end] }, ret, max);
}

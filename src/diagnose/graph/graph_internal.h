/*
 * Shared by the files of the graph station only: edges by node index, the reverse index, and
 * scratch memory that lets one question about the graph cost no more than the part it touches.
 */
#ifndef LK_DIAGNOSE_GRAPH_GRAPH_INTERNAL_H
#define LK_DIAGNOSE_GRAPH_GRAPH_INTERNAL_H

#include "diagnose/graph/graph.h"

#define LK_NO_NODE UINT32_MAX

struct lk_graph_work {
    uint32_t *from, *to; /* of each edge, as node indices */
    /* edges that end at node i: back[back_start[i] .. back_start[i + 1]) */
    uint32_t *back_start, *back;
    bool *blocks; /* by edge, once the liveness is known */
    /* scratch by node; stamp[i] == epoch tells that the other words of i are of this question */
    uint32_t *stamp, *need_must, *need_group, *queue, *via;
    uint32_t epoch;
};

/** Index of the node of an entity; LK_NO_NODE when it is none. */
uint32_t lk_graph_index(const struct lk_graph *g, struct lk_ref r);
static inline size_t lk_node_group(const struct lk_node *n)
{
    return n->n_edges - n->n_must;
}
static inline size_t lk_edge_index(const struct lk_graph *g, const struct lk_edge *e)
{
    return (size_t)(e - g->edges);
}
static inline bool lk_edge_is_must(const struct lk_node *n, const struct lk_edge *e)
{
    return (size_t)(e - n->edges) < n->n_must;
}
/** The edge blocks, and leads to a node of this component. */
static inline bool lk_edge_is_inside(const struct lk_graph *g, size_t edge, int scc)
{
    return g->work->blocks[edge] && g->nodes[g->work->to[edge]].scc == scc;
}
static inline bool lk_node_is_timed(const struct lk_node *n)
{
    return n->timeout_ms != LK_FOREVER;
}

/** Fills edges and what a node says of itself (edges.c). g->nodes are numbered. */
void lk_graph_make_edges(struct lk_graph *g);
/** Fills life, life_untimed and the blocking edges. */
void lk_graph_solve_life(struct lk_graph *g);
/** Fills scc, sccs and knot. */
void lk_graph_find_knots(struct lk_graph *g);

#endif

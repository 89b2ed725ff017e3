/*
 * Looking up nodes: the graph numbers its nodes by kind and, within a kind, as the snapshot does,
 * so that a reference is found by adding two numbers (numbered in wait_graph.c).
 */
#include "diagnose/graph/graph.h"

#include "diagnose/graph/graph_internal.h"

uint32_t lk_graph_index(const struct lk_graph *g, struct lk_ref r)
{
    if (r.kind <= LK_KIND_NONE || r.kind > LK_KIND_EXTERN)
        return LK_NO_NODE;
    size_t i = g->first[r.kind] + r.index;
    return i < g->first[r.kind + 1] ? (uint32_t)i : LK_NO_NODE;
}

const struct lk_node *lk_graph_node(const struct lk_graph *g, struct lk_ref r)
{
    uint32_t i = lk_graph_index(g, r);
    return i == LK_NO_NODE ? NULL : &g->nodes[i];
}

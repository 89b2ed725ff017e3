/*
 * Edges of what is waited for: futures, locks, executors, what is outside.
 */
#ifndef LK_DIAGNOSE_GRAPH_RESOURCE_EDGES_H
#define LK_DIAGNOSE_GRAPH_RESOURCE_EDGES_H

#include "diagnose/graph/edge_build.h"

/* Each fills one node, and adds its edges. */
void lk_make_future_edges(struct lk_edge_build *b, struct lk_node *n, const struct lk_future *f);
void lk_make_lock_edges(struct lk_edge_build *b, struct lk_node *n, const struct lk_lock *l);
void lk_make_executor_edges(struct lk_edge_build *b, struct lk_node *n,
                            const struct lk_executor *x);
void lk_make_extern_edges(struct lk_node *n, const struct lk_extern *e);

#endif

/*
 * Edges of who acts: threads, loops, tasks.
 */
#ifndef LK_DIAGNOSE_GRAPH_PARTY_EDGES_H
#define LK_DIAGNOSE_GRAPH_PARTY_EDGES_H

#include "diagnose/graph/edge_build.h"

/* Each fills one node, and adds its edges. */
void lk_make_thread_edges(struct lk_edge_build *b, struct lk_node *n, const struct lk_thread *t);
void lk_make_loop_edges(struct lk_edge_build *b, struct lk_node *n, size_t index,
                        const struct lk_loop *o);
void lk_make_task_edges(struct lk_edge_build *b, struct lk_node *n, const struct lk_task *k);

#endif

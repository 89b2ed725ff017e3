/*
 * The edges of the wait-for graph: asks for each node the function of its kind through whom it goes
 * on, which of its edges are needed in any case, and whether other code may end its wait too.
 */
#include "diagnose/graph/graph_internal.h"

#include "diagnose/graph/party_edges.h"
#include "diagnose/graph/resource_edges.h"

static void build_node(struct lk_edge_build *b, struct lk_node *n)
{
    const struct lk_snapshot *s = b->s;
    size_t i = n->ref.index;
    switch (n->ref.kind) {
    case LK_KIND_THREAD: lk_make_thread_edges(b, n, &s->threads.v[i]); break;
    case LK_KIND_LOOP: lk_make_loop_edges(b, n, i, &s->loops.v[i]); break;
    case LK_KIND_TASK: lk_make_task_edges(b, n, &s->tasks.v[i]); break;
    case LK_KIND_FUTURE: lk_make_future_edges(b, n, &s->futures.v[i]); break;
    case LK_KIND_LOCK: lk_make_lock_edges(b, n, &s->locks.v[i]); break;
    case LK_KIND_EXECUTOR: lk_make_executor_edges(b, n, &s->executors.v[i]); break;
    case LK_KIND_EXTERN: lk_make_extern_edges(n, &s->externs.v[i]); break;
    case LK_KIND_NONE: break;
    }
}

void lk_graph_make_edges(struct lk_graph *g)
{
    struct lk_edge_build b = { .g = g, .s = g->snap };
    for (size_t i = 0; i < g->n_nodes; i++)
        build_node(&b, &g->nodes[i]);
    g->edges = b.edges.v;
    g->n_edges = b.edges.n;
}

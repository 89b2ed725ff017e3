/*
 * Builds the whole graph: numbers the nodes, has their edges made (edges.c), indexes them both
 * ways, spreads timeouts along cancellations, then solves who can act (liveness.c) and finds the
 * cycles (components.c). Facts: a cancelled task cancels what it awaits (CPython
 * Lib/asyncio/tasks.py Task.cancel, futures.py _chain_future).
 */
#include "diagnose/graph/graph.h"

#include <stdlib.h>
#include <string.h>

#include "diagnose/graph/graph_internal.h"

static void number_nodes(struct lk_graph *g)
{
    const struct lk_snapshot *s = g->snap;
    for (size_t k = 0; k <= LK_KIND_EXTERN; k++)
        g->first[k + 1] = g->first[k] + lk_snapshot_listed(s, (enum lk_kind)k);
    g->n_nodes = g->first[LK_KIND_EXTERN + 1];
    g->nodes = lk_arena_array(g->arena, g->n_nodes, sizeof *g->nodes);
    for (size_t k = LK_KIND_THREAD; k <= LK_KIND_EXTERN; k++)
        for (size_t i = 0; i < lk_snapshot_listed(s, (enum lk_kind)k); i++)
            g->nodes[g->first[k] + i] = (struct lk_node){ .ref = lk_ref_make((enum lk_kind)k, i),
                                                          .timeout_ms = LK_FOREVER,
                                                          .scc = -1 };
}

/* The same edges seen from their ends, so that a change walks backwards at the cost of what it
 * touches. */
static void index_edges(struct lk_graph *g)
{
    struct lk_graph_work *w = g->work = lk_arena_alloc(g->arena, sizeof *w);
    size_t n = g->n_nodes, m = g->n_edges, at = 0;
    for (size_t i = 0; i < n; i++) {
        g->nodes[i].edges = g->edges + at;
        at += g->nodes[i].n_edges;
    }
    w->from = lk_arena_array(g->arena, m, sizeof *w->from);
    w->to = lk_arena_array(g->arena, m, sizeof *w->to);
    w->back_start = lk_arena_array(g->arena, n + 2, sizeof *w->back_start);
    w->back = lk_arena_array(g->arena, m, sizeof *w->back);
    w->blocks = lk_arena_array(g->arena, m, sizeof *w->blocks);
    w->stamp = lk_arena_array(g->arena, n, sizeof *w->stamp);
    w->need_must = lk_arena_array(g->arena, n, sizeof *w->need_must);
    w->need_group = lk_arena_array(g->arena, n, sizeof *w->need_group);
    w->queue = lk_arena_array(g->arena, n, sizeof *w->queue);
    w->via = lk_arena_array(g->arena, n, sizeof *w->via);
    for (size_t e = 0; e < m; e++) {
        w->from[e] = lk_graph_index(g, g->edges[e].from);
        w->to[e] = lk_graph_index(g, g->edges[e].to);
        w->back_start[w->to[e] + 2]++;
    }
    for (size_t i = 2; i < n + 2; i++)
        w->back_start[i] += w->back_start[i - 1];
    for (size_t e = 0; e < m; e++)
        w->back[w->back_start[w->to[e] + 1]++] = (uint32_t)e;
}

/* Cancelling what awaits it cancels it too; asyncio.shield and asyncio.wait keep that from what
 * they wait for. */
static bool passes_cancellation_on(const struct lk_snapshot *s, struct lk_ref r)
{
    const struct lk_future *f = lk_future_at(s, r);
    const struct lk_task *k = lk_task_at(s, r);
    if (f)
        return f->origin != LK_ORIGIN_SHIELD && f->origin != LK_ORIGIN_WAIT;
    return k && !(k->wait.traits & LK_WAIT_SHIELDS);
}

/*
 * A timeout cancels its task, that what the task awaits, and so on downwards (asyncio/tasks.py
 * Task.cancel: "Leave self._fut_waiter; it may be a Task", futures.py _chain_future:
 * _call_check_cancel). So it ends waits further down as well.
 */
static void spread_timeouts(struct lk_graph *g)
{
    struct lk_graph_work *w = g->work;
    size_t head = 0, tail = 0;
    w->epoch++;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].timeout_ms != LK_FOREVER && lk_task_at(g->snap, g->nodes[i].ref)) {
            w->stamp[i] = w->epoch;
            w->queue[tail++] = i;
        }
    for (; head < tail; head++) {
        const struct lk_node *n = &g->nodes[w->queue[head]];
        if (!passes_cancellation_on(g->snap, n->ref))
            continue;
        for (size_t e = n->n_must; e < n->n_edges; e++) {
            uint32_t to = w->to[lk_edge_index(g, &n->edges[e])];
            enum lk_kind kind = g->nodes[to].ref.kind;
            if (w->stamp[to] == w->epoch || (kind != LK_KIND_TASK && kind != LK_KIND_FUTURE))
                continue;
            w->stamp[to] = w->epoch;
            g->nodes[to].timeout_ms = n->timeout_ms;
            w->queue[tail++] = to;
        }
    }
}

struct lk_graph *lk_graph_build(const struct lk_snapshot *s)
{
    struct lk_arena *arena = lk_arena_create();
    struct lk_graph *g = lk_arena_alloc(arena, sizeof *g);
    g->snap = s;
    g->arena = arena;
    number_nodes(g);
    lk_graph_make_edges(g);
    index_edges(g);
    spread_timeouts(g);
    lk_graph_solve_life(g);
    lk_graph_find_knots(g);
    return g;
}

void lk_graph_destroy(struct lk_graph *g)
{
    if (!g)
        return;
    lk_free(g->edges);
    lk_arena_destroy(g->arena);
}

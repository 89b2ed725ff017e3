/*
 * Components of the dead nodes (Tarjan 1972, with an explicit stack) and, in each, the knot: what
 * stays dead even if everything outside of the component could act. Only edges that block count
 * (liveness.c).
 */
#include "diagnose/graph/graph.h"

#include <stdlib.h>

#include "diagnose/graph/graph_internal.h"

/* ---- components: Tarjan 1972, with an explicit stack ---------------------------------- */

struct tarjan {
    struct lk_graph *g;
    uint32_t *number, *low, *next; /* next: edge to look at; all by node. number 0: not visited */
    uint32_t *stack, *path;
    size_t n_stack, n_path;
    bool *on_stack;
    uint32_t count;
};

static void enter(struct tarjan *t, uint32_t i)
{
    t->number[i] = t->low[i] = ++t->count;
    t->stack[t->n_stack++] = i;
    t->on_stack[i] = true;
    t->path[t->n_path++] = i;
}

/* Goes on from node i; false when its edges are done. */
static bool advance(struct tarjan *t, uint32_t i)
{
    const struct lk_node *n = &t->g->nodes[i];
    struct lk_graph_work *w = t->g->work;
    while (t->next[i] < n->n_edges) {
        size_t e = lk_edge_index(t->g, &n->edges[t->next[i]++]);
        uint32_t to = w->to[e];
        if (!w->blocks[e])
            continue;
        if (!t->number[to]) {
            enter(t, to);
            return true;
        }
        if (t->on_stack[to])
            t->low[i] = LK_MIN(t->low[i], t->number[to]);
    }
    return false;
}

static void leave(struct tarjan *t, uint32_t i)
{
    t->n_path--;
    if (t->n_path) {
        uint32_t parent = t->path[t->n_path - 1];
        t->low[parent] = LK_MIN(t->low[parent], t->low[i]);
    }
    if (t->low[i] != t->number[i])
        return;
    uint32_t member;
    do {
        member = t->stack[--t->n_stack];
        t->on_stack[member] = false;
        t->g->nodes[member].scc = t->g->n_sccs;
    } while (member != i);
    t->g->n_sccs++;
}

static void find_components(struct lk_graph *g)
{
    size_t n = g->n_nodes;
    struct tarjan t = { .g = g };
    t.number = lk_arena_array(g->arena, n, sizeof *t.number);
    t.low = lk_arena_array(g->arena, n, sizeof *t.low);
    t.next = lk_arena_array(g->arena, n, sizeof *t.next);
    t.stack = lk_arena_array(g->arena, n, sizeof *t.stack);
    t.path = lk_arena_array(g->arena, n, sizeof *t.path);
    t.on_stack = lk_arena_array(g->arena, n, sizeof *t.on_stack);
    for (uint32_t i = 0; i < n; i++) {
        if (g->nodes[i].life_untimed != LK_LIFE_DEAD || t.number[i])
            continue;
        enter(&t, i);
        while (t.n_path) {
            uint32_t at = t.path[t.n_path - 1];
            if (!advance(&t, at))
                leave(&t, at);
        }
    }
}

static void list_members(struct lk_graph *g)
{
    g->sccs = lk_arena_array(g->arena, (size_t)g->n_sccs, sizeof *g->sccs);
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].scc >= 0)
            g->sccs[g->nodes[i].scc].n++;
    for (int c = 0; c < g->n_sccs; c++) {
        g->sccs[c].members = lk_arena_array(g->arena, g->sccs[c].n, sizeof *g->sccs[c].members);
        g->sccs[c].n = 0;
    }
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].scc >= 0) {
            struct lk_scc *c = &g->sccs[g->nodes[i].scc];
            c->members[c->n++] = i;
        }
}

/* ---- knots: what stays dead when all outside the component could act ------------------ */

/* What node i lacks when only edges that stay inside its component count. */
static void count_inside(struct lk_graph *g, uint32_t i, int scc)
{
    struct lk_graph_work *w = g->work;
    const struct lk_node *n = &g->nodes[i];
    size_t must = 0, group = 0;
    for (size_t e = 0; e < n->n_edges; e++)
        if (lk_edge_is_inside(g, lk_edge_index(g, &n->edges[e]), scc))
            *(e < n->n_must ? &must : &group) += 1;
    /* Of alternatives, one outside of the component would do. */
    if (!n->all && group < lk_node_group(n))
        group = 0;
    w->need_must[i] = (uint32_t)must;
    w->need_group[i] = group ? (n->all ? (uint32_t)group : 1) : 0;
}

static void release(struct lk_graph *g, uint32_t i, size_t *tail)
{
    struct lk_graph_work *w = g->work;
    if (!g->nodes[i].knot || w->need_must[i] || w->need_group[i])
        return;
    g->nodes[i].knot = false;
    w->queue[(*tail)++] = i;
}

static void find_knot(struct lk_graph *g, int scc)
{
    struct lk_graph_work *w = g->work;
    struct lk_scc *c = &g->sccs[scc];
    size_t head = 0, tail = 0;
    for (size_t k = 0; k < c->n; k++) {
        count_inside(g, c->members[k], scc);
        g->nodes[c->members[k]].knot = true;
    }
    for (size_t k = 0; k < c->n; k++)
        release(g, c->members[k], &tail);
    for (; head < tail; head++) {
        uint32_t i = w->queue[head];
        for (uint32_t k = w->back_start[i]; k < w->back_start[i + 1]; k++) {
            size_t e = w->back[k];
            uint32_t from = w->from[e];
            if (g->nodes[from].scc != scc || !lk_edge_is_inside(g, e, scc))
                continue;
            uint32_t *need = lk_edge_is_must(&g->nodes[from], &g->edges[e]) ? &w->need_must[from]
                                                                            : &w->need_group[from];
            if (*need)
                --*need;
            release(g, from, &tail);
        }
    }
    for (size_t k = 0; k < c->n; k++)
        c->knot |= g->nodes[c->members[k]].knot;
}

void lk_graph_find_knots(struct lk_graph *g)
{
    find_components(g);
    list_members(g);
    for (int c = 0; c < g->n_sccs; c++)
        find_knot(g, c);
}

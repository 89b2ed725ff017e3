/*
 * Who can act: the least fixed point, by counting propagation (Dowling and Gallier 1984). What
 * cannot act before itself stays dead; who is held up by whom is asked backwards over the same
 * index.
 */
#include "diagnose/graph/graph.h"

#include "diagnose/graph/graph_internal.h"

/*
 * Counting propagation (Dowling and Gallier 1984): each node counts what it still lacks, each edge
 * is looked at once. Levels are taken from LIVE down to TIMED; what was reached at a higher level
 * stays reached, so that all levels together cost one walk over the graph.
 */
struct solver {
    const struct lk_graph *g;
    struct lk_graph_work *w;
    bool *reached, *group_ok;
    size_t head, tail;
    enum lk_life level;  /* being spread */
    bool timed, failing; /* timeouts count as enders; the first failure ends a group */
};

static void reach(struct solver *x, uint32_t i)
{
    /* Soft ones are reached with the open ones. */
    if (x->level > LK_LIFE_OPEN && x->g->nodes[i].soft)
        return;
    if (x->reached[i] || !x->group_ok[i] || x->w->need_must[i])
        return;
    x->reached[i] = true;
    x->w->queue[x->tail++] = i;
}

static void satisfy(struct solver *x, uint32_t edge)
{
    uint32_t i = x->w->from[edge];
    const struct lk_node *n = &x->g->nodes[i];
    if (lk_edge_is_must(n, &x->g->edges[edge]))
        x->w->need_must[i]--;
    else if (!x->group_ok[i] && --x->w->need_group[i] == 0)
        x->group_ok[i] = true;
    reach(x, i);
}

static enum lk_life own_life(const struct lk_node *n, bool timed)
{
    enum lk_life life = n->base;
    if (n->open)
        life = LK_MAX(life, LK_LIFE_OPEN);
    if (timed && lk_node_is_timed(n))
        life = LK_MAX(life, LK_LIFE_TIMED);
    return life;
}

static enum lk_life *result_of(const struct solver *x, struct lk_node *n)
{
    return x->failing ? &n->life_failing : x->timed ? &n->life : &n->life_untimed;
}

static void reset_counts(struct solver *x)
{
    for (size_t i = 0; i < x->g->n_nodes; i++) {
        const struct lk_node *n = &x->g->nodes[i];
        size_t group = lk_node_group(n);
        x->w->need_must[i] = (uint32_t)n->n_must;
        /* An empty group is met only by the node's own life. */
        bool all = n->all && !(x->failing && n->fails_early);
        x->w->need_group[i] = group ? (all ? (uint32_t)group : 1) : UINT32_MAX;
        x->reached[i] = x->group_ok[i] = false;
    }
    x->head = x->tail = 0;
}

static void solve(struct lk_graph *g, struct solver *x)
{
    reset_counts(x);
    for (enum lk_life level = LK_LIFE_LIVE; level > LK_LIFE_DEAD; level--) {
        x->level = level;
        for (uint32_t i = 0; i < g->n_nodes; i++) {
            if (x->reached[i])
                continue;
            x->group_ok[i] |= own_life(&g->nodes[i], x->timed) >= level;
            reach(x, i);
        }
        for (; x->head < x->tail; x->head++) {
            uint32_t i = x->w->queue[x->head];
            *result_of(x, &g->nodes[i]) = level;
            for (uint32_t k = x->w->back_start[i]; k < x->w->back_start[i + 1]; k++)
                satisfy(x, x->w->back[k]);
        }
    }
}

/* Whether a dead node's group is dead too (a node may be dead only because of an edge that is
 * needed in any case). */
static bool group_is_dead(const struct lk_graph *g, const struct lk_node *n)
{
    size_t dead = 0, group = lk_node_group(n);
    if (n->open || n->base > LK_LIFE_DEAD)
        return false;
    for (size_t e = n->n_must; e < n->n_edges; e++)
        dead += lk_graph_node(g, n->edges[e].to)->life_untimed == LK_LIFE_DEAD;
    return n->all ? dead > 0 : dead == group;
}

static void find_blocking_edges(struct lk_graph *g)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct lk_node *n = &g->nodes[i];
        if (n->life_untimed != LK_LIFE_DEAD)
            continue;
        bool group = group_is_dead(g, n);
        for (size_t e = 0; e < n->n_edges; e++)
            g->work->blocks[lk_edge_index(g, &n->edges[e])] =
                (e < n->n_must || group) &&
                lk_graph_node(g, n->edges[e].to)->life_untimed == LK_LIFE_DEAD;
    }
}

/* Where no group ends by a failure, failing changes nothing. False: one does, nothing was done. */
static bool copy_failing(struct lk_graph *g)
{
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].fails_early)
            return false;
    for (size_t i = 0; i < g->n_nodes; i++)
        g->nodes[i].life_failing = g->nodes[i].life_untimed;
    return true;
}

void lk_graph_solve_life(struct lk_graph *g)
{
    struct solver x = { .g = g, .w = g->work };
    x.reached = lk_arena_array(g->arena, g->n_nodes, sizeof *x.reached);
    x.group_ok = lk_arena_array(g->arena, g->n_nodes, sizeof *x.group_ok);
    x.timed = true;
    solve(g, &x);
    x.timed = false;
    solve(g, &x);
    if (!copy_failing(g)) {
        x.failing = true;
        solve(g, &x);
    }
    find_blocking_edges(g);
}

bool lk_graph_blocks(const struct lk_graph *g, const struct lk_edge *e)
{
    const struct lk_node *n = lk_graph_node(g, e->from);
    for (size_t i = 0; n && i < n->n_edges; i++)
        if (lk_ref_eq(n->edges[i].to, e->to) && g->work->blocks[lk_edge_index(g, &n->edges[i])])
            return true;
    return false;
}

/* Takes one edge's end away from node i; true when i cannot go on without it. */
static bool starve(const struct lk_graph *g, uint32_t edge, uint32_t i)
{
    struct lk_graph_work *w = g->work;
    const struct lk_node *n = &g->nodes[i];
    if (lk_edge_is_must(n, &g->edges[edge]))
        return true;
    if (n->open || n->base > LK_LIFE_DEAD)
        return false;
    if (w->stamp[i] != w->epoch) {
        w->stamp[i] = w->epoch;
        w->need_group[i] = n->all ? 1 : (uint32_t)lk_node_group(n);
    }
    return w->need_group[i] && --w->need_group[i] == 0;
}

void lk_graph_held_up_by(const struct lk_graph *g, const struct lk_ref *roots, size_t n, bool *mark)
{
    struct lk_graph_work *w = g->work;
    size_t head = 0, tail = 0;
    memset(mark, 0, g->n_nodes * sizeof *mark);
    w->epoch++;
    for (size_t i = 0; i < n; i++) {
        uint32_t root = lk_graph_index(g, roots[i]);
        if (root == LK_NO_NODE || mark[root])
            continue;
        mark[root] = true;
        w->queue[tail++] = root;
    }
    for (; head < tail; head++) {
        uint32_t i = w->queue[head];
        for (uint32_t k = w->back_start[i]; k < w->back_start[i + 1]; k++) {
            uint32_t from = w->from[w->back[k]];
            if (mark[from] || !starve(g, w->back[k], from))
                continue;
            mark[from] = true;
            w->queue[tail++] = from;
        }
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t root = lk_graph_index(g, roots[i]);
        if (root != LK_NO_NODE)
            mark[root] = false;
    }
}

void lk_graph_held_up(const struct lk_graph *g, struct lk_ref ref, bool *mark)
{
    lk_graph_held_up_by(g, &ref, 1, mark);
}

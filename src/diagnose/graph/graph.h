/*
 * The wait-for graph over a snapshot. Nodes are the snapshot's entities; an edge A -> B says "A
 * goes on only through B". A node needs all of its edges (AND) or any one (OR); `open` says other
 * code may end it too.
 *
 * Liveness is the least fixed point of "can act": running threads, idle selectors, timers, the
 * outside and every open node can; an OR node can when one of its edges' ends can, an AND node when
 * all can. What remains cannot act before itself: a cycle where all are needed, a knot where any
 * would do, or a dead end (closed loop, thread gone in a fork).
 */
#ifndef LK_DIAGNOSE_GRAPH_GRAPH_H
#define LK_DIAGNOSE_GRAPH_GRAPH_H

#include "snapshot/snapshot.h"

enum lk_life {
    LK_LIFE_DEAD = 0, /* no ender can act before this wait ends */
    LK_LIFE_TIMED,    /* only a finite timeout or timer of a member ends it */
    LK_LIFE_OPEN,     /* any code may end it; no ender is known to be able to */
    LK_LIFE_EXTERN,   /* waits for something outside */
    LK_LIFE_LIVE,     /* runs, or a live party is known to end it */
};

struct lk_edge {
    struct lk_ref from, to;
    const char *why; /* "blocks in Future.result()", "scheduled on", "run by", "held by", ... */
    enum lk_read read;
    bool inferred; /* the fact is an inference (value-stack owner not certain): at most probable */
    bool stable;   /* seen the same in the first and the last sample */
};

/**
 * The first n_must edges are each needed in any case (a suspended task's loop, the lock behind a
 * Condition); the others form one group, of which all or any one is needed.
 */
struct lk_node {
    struct lk_ref ref;
    struct lk_edge *edges;
    size_t n_edges, n_must;
    bool all;         /* the group needs all of its edges, else any */
    bool fails_early; /* ... but one of them that fails is enough */
    bool open;        /* its enders are not all known */
    /* ... nor ever can be: the group is of those that are likely; that they can act proves no more
     * than being open */
    bool soft;
    enum lk_life
        /* what the group has even without its edges: LIVE for a running thread or an empty group,
           TIMED for a sleep */
        base;
    bool dead_end; /* an ender that exists no more: why_dead says */
    const char *why_dead;
    int64_t timeout_ms;        /* own finite timeout left, LK_FOREVER none */
    enum lk_life life;         /* with timeouts counted as enders (LK_LIFE_TIMED) */
    enum lk_life life_untimed; /* as if nothing timed out: a timed cycle is LK_LIFE_DEAD here */
    /* as life_untimed, if whoever can act fails: what waits for all of a group ends with the first
     */
    enum lk_life life_failing;
    int scc; /* component among the dead (life_untimed) nodes; -1 none */
    /* stays dead even if everything outside its component could act: the root of a deadlock */
    bool knot;
};

/** One strongly connected component of dead nodes. members points into the graph's arena. */
struct lk_scc {
    uint32_t *members; /* node indices, rising */
    size_t n;
    bool knot; /* holds nodes with knot set */
};

struct lk_graph {
    const struct lk_snapshot *snap;
    struct lk_arena *arena;
    struct lk_node *nodes;
    size_t n_nodes;
    int n_sccs;
    struct lk_scc *sccs;
    struct lk_edge *edges; /* all edges, by node */
    size_t n_edges;
    size_t first[LK_KIND_EXTERN + 2]; /* index of the first node of each kind */
    struct lk_graph_work *work;       /* private */
};

struct lk_graph *lk_graph_build(const struct lk_snapshot *s);
void lk_graph_destroy(struct lk_graph *g);
const struct lk_node *lk_graph_node(const struct lk_graph *g, struct lk_ref r);
/** True when the edge keeps its node from going on: its end is dead, and no alternative to it is
 * left. */
bool lk_graph_blocks(const struct lk_graph *g, const struct lk_edge *e);
/**
 * A shortest cycle through ref inside its component's knot, as edges in order; 0 when there is
 * none. Returns its length; at most max edges are written.
 */
size_t lk_graph_cycle(const struct lk_graph *g, struct lk_ref ref, struct lk_edge *ret, size_t max);
/** A shortest path inside the knot of from to a node that is marked in to[n_nodes]; 0 when from is
 * one or there is none. As above. */
size_t lk_graph_knot_path(const struct lk_graph *g, struct lk_ref from, bool *to,
                          struct lk_edge *ret, size_t max);
/** A shortest path from ref to a node for which stop() holds; 0 when there is none (or ref itself
 * is one). As above. */
size_t lk_graph_path(const struct lk_graph *g, struct lk_ref from,
                     bool (*stop)(const struct lk_graph *, const struct lk_node *, void *),
                     void *arg, struct lk_edge *ret, size_t max);
/** A shortest path from one node to another through marked nodes (the end must be marked too); 0
 * when there is none. As above. */
size_t lk_graph_path_within(const struct lk_graph *g, struct lk_ref from, struct lk_ref to,
                            const bool *within, struct lk_edge *ret, size_t max);
/** Nodes that cannot go on before ref does (transitively), ref excluded: marks them in
 * mark[n_nodes]. Timeouts of waiters do not count. */
void lk_graph_held_up(const struct lk_graph *g, struct lk_ref ref, bool *mark);
/** The same for several that all stand still. */
void lk_graph_held_up_by(const struct lk_graph *g, const struct lk_ref *roots, size_t n,
                         bool *mark);

#endif

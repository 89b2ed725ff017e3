/*
 * Making edges: what the files that know one kind of entity each have in common. Only inside of the
 * graph's folder.
 */
#ifndef LK_DIAGNOSE_GRAPH_EDGE_BUILD_H
#define LK_DIAGNOSE_GRAPH_EDGE_BUILD_H

#include "diagnose/graph/graph.h"

/** Edges of all nodes so far. */
struct lk_edge_build {
    struct lk_graph *g;
    const struct lk_snapshot *s;
    LK_VEC(struct lk_edge) edges;
};

/** How an edge was read. */
struct lk_edge_how {
    const char *why;
    enum lk_read read;
    bool inferred, stable;
};

/** The reference leads to an entity of the snapshot. */
bool lk_edge_end_exists(const struct lk_snapshot *s, struct lk_ref r);
/** At least this life, whatever its edges say. */
void lk_node_set_base(struct lk_node *n, enum lk_life life);
/** One edge of the node's group; a party that was not read leaves the node open instead. */
void lk_add_edge(struct lk_edge_build *b, struct lk_node *n, struct lk_ref to,
                 struct lk_edge_how how);
/** One that is needed in any case. Only before the first edge of the node's group. */
void lk_add_must_edge(struct lk_edge_build *b, struct lk_node *n, struct lk_ref to,
                      struct lk_edge_how how);
/** ms: LK_FOREVER for none, LK_UNKNOWN where there may be one. */
void lk_add_timeout(struct lk_node *n, int64_t ms);
/** All of a list; a timer that is one of several alternatives is a timeout, not a party. */
void lk_add_edge_group(struct lk_edge_build *b, struct lk_node *n, const struct lk_refs *on,
                       struct lk_edge_how how);
/** The thread runs, moves, or has ended. */
bool lk_thread_acts(const struct lk_edge_build *b, const struct lk_thread *t);
/** Waits, untimed, at a pipe both ends of which only this process has. */
bool lk_waits_for_own_pipe(const struct lk_thread *t);
/** Nobody in the process acts: each of its threads waits for another one. */
bool lk_all_need_others(const struct lk_edge_build *b);

#endif

/*
 * Adding edges, timeouts and lives to nodes, and two questions about all threads of the process on
 * which edges rest: who acts, and whether each waits for another.
 */
#include "diagnose/graph/edge_build.h"

bool lk_edge_end_exists(const struct lk_snapshot *s, struct lk_ref r)
{
    return r.kind != LK_KIND_NONE && lk_ref_id(s, r) != NULL;
}

void lk_node_set_base(struct lk_node *n, enum lk_life life)
{
    n->base = LK_MAX(n->base, life);
}

void lk_add_edge(struct lk_edge_build *b, struct lk_node *n, struct lk_ref to,
                 struct lk_edge_how how)
{
    if (!lk_edge_end_exists(b->s, to)) {
        /* A party that is named but was not read: what it can do is not known. */
        n->open = true;
        return;
    }
    lk_vec_add(&b->edges, ((struct lk_edge){ .from = n->ref,
                                             .to = to,
                                             .why = how.why,
                                             .read = how.read,
                                             .inferred = how.inferred,
                                             .stable = how.stable }));
    n->n_edges++;
}

/* Only before the first edge of the node's group. */
void lk_add_must_edge(struct lk_edge_build *b, struct lk_node *n, struct lk_ref to,
                      struct lk_edge_how how)
{
    size_t before = n->n_edges;
    lk_add_edge(b, n, to, how);
    n->n_must += n->n_edges - before;
}

void lk_add_timeout(struct lk_node *n, int64_t ms)
{
    if (ms == LK_UNKNOWN)
        n->open = true; /* there may be one */
    else if (ms != LK_FOREVER)
        n->timeout_ms = LK_MIN(n->timeout_ms, LK_MAX(ms, 0));
}

/* A timer that is one of several alternatives is a timeout, not a party. */
void lk_add_edge_group(struct lk_edge_build *b, struct lk_node *n, const struct lk_refs *on,
                       struct lk_edge_how how)
{
    for (size_t i = 0; i < on->n; i++) {
        const struct lk_extern *e = lk_extern_at(b->s, on->v[i]);
        if (!n->all && on->n > 1 && e && e->kind == LK_EXT_TIMER)
            lk_add_timeout(n, e->in_ms);
        else
            lk_add_edge(b, n, on->v[i], how);
    }
}

bool lk_thread_acts(const struct lk_edge_build *b, const struct lk_thread *t)
{
    bool long_stuck = t->stuck_ms != LK_UNKNOWN && t->stuck_ms >= b->s->stalled_after_ms;
    return t->running || (t->moved && !long_stuck) || t->kstate == 'Z' || t->kstate == 'X';
}

/* A pipe both ends of which only this process has. */
bool lk_waits_for_own_pipe(const struct lk_thread *t)
{
    return t->wait.kind == LK_WAIT_IO && t->os.on == LK_OS_PIPE && t->os.peer_is == LK_PEER_SELF &&
           t->wait.timeout_ms == LK_FOREVER;
}

/* Waits that end only by another party of this process. */
static bool needs_others(const struct lk_thread *t)
{
    enum lk_wait_kind kind = t->wait.kind;
    return lk_waits_for_own_pipe(t) || kind == LK_WAIT_LOCK || kind == LK_WAIT_JOIN ||
           kind == LK_WAIT_FUTURE || kind == LK_WAIT_IMPORT || kind == LK_WAIT_GIL;
}

/* Nobody in the process acts: each of its threads waits for another one. */
bool lk_all_need_others(const struct lk_edge_build *b)
{
    enum { MOST = 256 }; /* edges to each of them are drawn */
    if (b->s->threads.n > MOST)
        return false;
    for (size_t i = 0; i < b->s->threads.n; i++)
        if (lk_thread_acts(b, &b->s->threads.v[i]) || !needs_others(&b->s->threads.v[i]))
            return false;
    return true;
}

/*
 * The wait cycles of a process, found once for all rules that tell them (LK101 to LK108). Each knot
 * of the graph (diagnose/graph/components.c) gives one: its shortest cycle, and where a node of the
 * cycle has alternatives, the way back from each of them too. What the cycle contains names the
 * rule.
 */
#include "diagnose/rules/cycle_search.h"

#include <stdlib.h>
#include <string.h>

#include "diagnose/rules/long_waits.h"
#include "diagnose/rules/ring_enders.h"

enum {
    MAX_TRIES = 16,   /* starts from which a shortest cycle is looked for */
    MAX_CYCLES = 500, /* each is told apart; a process with more of them is told enough */
};

/* ---- the cycle ----------------------------------------------------------------------- */

static void try_start(const struct lk_graph *g, const struct lk_scc *scc, struct lk_ref start,
                      struct lk_cycle_edges *best, struct lk_cycle_edges *room)
{
    size_t n = lk_graph_cycle(g, start, room->v, scc->n);
    if (!n || (best->n && n >= best->n))
        return;
    struct lk_cycle_edges old = *best;
    *best = *room;
    best->n = n;
    *room = old;
}

/* A knot's threads that run a loop of it come first: they are what the rules are about. */
static struct lk_ref start_of(const struct lk_graph *g, uint32_t member, int round)
{
    static const enum lk_kind kinds[] = { LK_KIND_LOOP, LK_KIND_THREAD, LK_KIND_TASK };
    const struct lk_node *n = &g->nodes[member];
    struct lk_ref none = { LK_KIND_NONE, 0 };
    if (!n->knot)
        return none;
    if (round < 3 && n->ref.kind != kinds[round])
        return none;
    if (round == 0)
        return n->n_edges ? n->edges[0].to : none;
    return n->ref;
}

/* Follows blocking edges inside the knot until a node comes again: that one is on a cycle. */
static struct lk_ref walk_to_cycle(struct lk_rule_context *c, const struct lk_scc *scc)
{
    const struct lk_graph *g = c->graph;
    const struct lk_node *at = NULL;
    memset(c->mark, 0, g->n_nodes * sizeof *c->mark);
    for (size_t i = 0; i < scc->n && !at; i++)
        if (g->nodes[scc->members[i]].knot)
            at = &g->nodes[scc->members[i]];
    while (at && !c->mark[at - g->nodes]) {
        c->mark[at - g->nodes] = true;
        const struct lk_node *next = NULL;
        for (size_t e = 0; e < at->n_edges && !next; e++) {
            const struct lk_node *to = lk_graph_node(g, at->edges[e].to);
            if (to->knot && to->scc == at->scc && lk_graph_blocks(g, &at->edges[e]))
                next = to;
        }
        at = next;
    }
    return at ? at->ref : (struct lk_ref){ LK_KIND_NONE, 0 };
}

static struct lk_cycle_edges find_cycle(struct lk_rule_context *c, const struct lk_scc *scc)
{
    struct lk_cycle_edges best = { .v = lk_xcalloc(scc->n, sizeof *best.v), .cap = scc->n };
    struct lk_cycle_edges room = { .v = lk_xcalloc(scc->n, sizeof *room.v), .cap = scc->n };
    for (int round = 0; round < 4 && !best.n; round++) {
        int tries = 0;
        for (size_t i = 0; i < scc->n && tries < MAX_TRIES; i++) {
            struct lk_ref start = start_of(c->graph, scc->members[i], round);
            if (start.kind == LK_KIND_NONE)
                continue;
            tries++;
            try_start(c->graph, scc, start, &best, &room);
        }
    }
    if (!best.n)
        try_start(c->graph, scc, walk_to_cycle(c, scc), &best, &room);
    lk_free(room.v);
    return best;
}

/* True when the edge is one of its node's alternatives. */
static bool is_alternative(const struct lk_node *n, const struct lk_edge *used)
{
    for (size_t e = n->n_must; !n->all && e < n->n_edges; e++)
        if (lk_ref_eq(n->edges[e].to, used->to))
            return true;
    return false;
}

/* Adds the ways back from the alternatives of the nodes that are in the chain already. */
static void add_alternatives(struct lk_rule_context *c, struct lk_cycle_edges *chain, size_t max)
{
    const struct lk_graph *g = c->graph;
    struct lk_edge *path = lk_xcalloc(max, sizeof *path);
    bool *known = lk_xcalloc(g->n_nodes, sizeof *known),
         *done = lk_xcalloc(g->n_nodes, sizeof *done);
    for (size_t i = 0; i < chain->n; i++)
        known[lk_graph_node(g, chain->v[i].from) - g->nodes] = true;
    for (size_t i = 0; i < chain->n; i++) {
        struct lk_edge used = chain->v[i];
        const struct lk_node *n = lk_graph_node(g, used.from);
        if (done[n - g->nodes] || !is_alternative(n, &used))
            continue;
        done[n - g->nodes] = true;
        for (size_t e = n->n_must; e < n->n_edges; e++) {
            if (lk_ref_eq(n->edges[e].to, used.to))
                continue;
            lk_vec_add(chain, n->edges[e]);
            size_t length = LK_MIN(lk_graph_knot_path(g, n->edges[e].to, known, path, max), max);
            for (size_t k = 0; k < length; k++) {
                lk_vec_add(chain, path[k]);
                known[lk_graph_node(g, path[k].from) - g->nodes] = true;
            }
        }
    }
    lk_free(done);
    lk_free(known);
    lk_free(path);
}

/* ---- what it contains ---------------------------------------------------------------- */

/* A mutex that says itself which task holds it. */
static bool names_its_task(const struct lk_snapshot *s, const struct lk_lock *l)
{
    return l->mutex && l->owner_by == LK_OWNER_FIELD && l->owners.n &&
           lk_task_at(s, l->owners.v[0]);
}

static void count_task(struct lk_wait_cycle *k, const struct lk_task *t)
{
    k->tasks++;
    if (t->kind != LK_TASK_GREENLET)
        return;
    k->greenlets++;
    k->plain_locks &= t->wait.kind == LK_WAIT_LOCK;
}

static void count_node(const struct lk_rule_context *c, struct lk_wait_cycle *k, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(c->snap, r);
    switch (r.kind) {
    case LK_KIND_THREAD:
        k->threads++;
        k->gil |= t->wait.kind == LK_WAIT_GIL;
        k->plain_locks &= t->wait.kind == LK_WAIT_LOCK || t->wait.kind == LK_WAIT_IMPORT;
        break;
    case LK_KIND_LOOP: k->loops++; break;
    case LK_KIND_TASK: count_task(k, lk_task_at(c->snap, r)); break;
    case LK_KIND_FUTURE: k->futures++; break;
    case LK_KIND_LOCK:
        k->locks++;
        k->units &= lk_lock_at(c->snap, r)->units_known;
        k->task_locks &= names_its_task(c->snap, lk_lock_at(c->snap, r));
        break;
    case LK_KIND_EXECUTOR: k->executors++; break;
    default: k->others++; break;
    }
}

/* A thread parked on an Event is no news; one that others need, for a lock or a result, is. */
static void weigh_edge(const struct lk_rule_context *c, struct lk_wait_cycle *k,
                       const struct lk_edge *e)
{
    const struct lk_lock *l = lk_lock_at(c->snap, e->from);
    const struct lk_thread *t = lk_thread_at(c->snap, e->from);
    k->soft |= lk_graph_node(c->graph, e->from)->soft;
    k->hard |= l && l->mutex;
    k->hard |= e->from.kind == LK_KIND_FUTURE || e->from.kind == LK_KIND_EXECUTOR ||
               e->from.kind == LK_KIND_TASK;
    k->hard |= t && (t->wait.kind == LK_WAIT_JOIN || t->wait.kind == LK_WAIT_SEMAPHORE ||
                     t->wait.kind == LK_WAIT_QUEUE_JOIN);
}

static void weigh_thread(const struct lk_rule_context *c, struct lk_wait_cycle *k,
                         const struct lk_thread *t)
{
    int64_t ms = lk_stuck(c, t);
    k->stuck_ms = k->has_thread ? LK_MIN(k->stuck_ms, ms) : ms;
    k->has_thread = true;
    k->may_stall |= lk_may_stall(c, t);
    k->seen_long_enough &= lk_seen_long_enough(c, t);
}

/* The task's loop is no part of what stands still: other tasks on it act. */
static bool is_on_live_loop(const struct lk_rule_context *c, struct lk_ref loop)
{
    const struct lk_node *n = lk_graph_node(c->graph, loop);
    return n && n->life_untimed != LK_LIFE_DEAD;
}

/* A task cannot move while its loop's thread does not. */
static void weigh_task(const struct lk_rule_context *c, struct lk_wait_cycle *k,
                       const struct lk_task *task)
{
    const struct lk_loop *o = lk_loop_at(c->snap, task->loop);
    const struct lk_thread *t = o ? lk_thread_at(c->snap, o->thread) : NULL;
    k->tasks_may_end |= is_on_live_loop(c, task->loop);
    k->seen_long_enough &= t ? lk_seen_long_enough(c, t) : lk_seen_twice(c);
}

static void weigh(const struct lk_rule_context *c, struct lk_wait_cycle *k)
{
    k->plain_locks = k->units = k->task_locks = k->seen_long_enough = k->steady = true;
    k->left_ms = LK_FOREVER;
    k->stuck_ms = -1;
    k->direct = lk_ring_is_direct(c, k);
    for (size_t i = 0; i < k->chain.n; i++) {
        const struct lk_node *n = lk_graph_node(c->graph, k->chain.v[i].from);
        const struct lk_thread *t = lk_thread_at(c->snap, n->ref);
        const struct lk_task *task = lk_task_at(c->snap, n->ref);
        if (i < k->n_cycle)
            count_node(c, k, n->ref);
        k->tasks_may_end |= n->ref.kind == LK_KIND_EXECUTOR;
        weigh_edge(c, k, &k->chain.v[i]);
        k->steady &= k->chain.v[i].stable && !(task && task->once);
        if (!k->direct) { /* what times out below a task that awaits another one cancels it */
            k->timed |= n->life != LK_LIFE_DEAD;
            k->left_ms = LK_MIN(k->left_ms, n->timeout_ms);
        }
        if (t)
            weigh_thread(c, k, t);
        if (task)
            weigh_task(c, k, task);
    }
    /* Tasks that wait for each other only cannot be there for an instant: nothing but a
     * cancellation ends that. */
    k->seen_long_enough |= !k->has_thread;
}

/* thread -> lock -> suspended task -> its loop -> that thread */
static bool is_lock_across_await(const struct lk_wait_cycle *k)
{
    static const enum lk_kind kinds[] = { LK_KIND_THREAD, LK_KIND_LOCK, LK_KIND_TASK,
                                          LK_KIND_LOOP };
    if (k->n_cycle != LK_ARRAY_LEN(kinds))
        return false;
    for (size_t i = 0; i < k->n_cycle; i++)
        if (k->chain.v[i].from.kind != kinds[i])
            return false;
    return true;
}

static enum lk_rule_id rule_of(const struct lk_wait_cycle *k)
{
    bool no_loop = k->loops == 0;
    bool no_task = k->tasks == k->greenlets && k->futures == 0;
    if (k->gil)
        return LK_RULE_LK107;
    if (k->loops >= 2)
        return LK_RULE_LK102;
    if (k->loops == 1 && k->threads)
        return is_lock_across_await(k) ? LK_RULE_LK106 : LK_RULE_LK101;
    if (no_loop && k->executors)
        return LK_RULE_LK104;
    if (no_loop && k->locks && k->units)
        return LK_RULE_LK407;
    if (no_loop && no_task && !k->others && k->locks && k->plain_locks)
        return LK_RULE_LK103;
    if (no_loop && !k->threads && (!k->locks || k->task_locks) && !k->executors && !k->others &&
        k->tasks)
        return LK_RULE_LK105;
    return LK_RULE_LK108;
}

/* ---- where it is told from ----------------------------------------------------------- */

/* The party that holds a lock of the cycle and waits for something that is none: which of the two
 * to give up is its choice. */
bool lk_cycle_holds_and_waits(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                              size_t i)
{
    const struct lk_edge *in = &k->chain.v[i ? i - 1 : k->n_cycle - 1], *out = &k->chain.v[i];
    const struct lk_lock *to = lk_lock_at(c->snap, out->to);
    return in->from.kind == LK_KIND_LOCK && (!to || !to->mutex) &&
           (lk_thread_at(c->snap, out->from) || lk_task_at(c->snap, out->from));
}

/* The thread that another one of the cycle wants the GIL of: it is the one that should have given
 * it up before it waited. */
static bool keeps_gil(const struct lk_rule_context *c, const struct lk_wait_cycle *k, size_t i)
{
    const struct lk_thread *in = lk_thread_at(c->snap, k->chain.v[i ? i - 1 : k->n_cycle - 1].from);
    return in && in->wait.kind == LK_WAIT_GIL && lk_thread_at(c->snap, k->chain.v[i].from);
}

/* A cycle without a loop starts at such a party; with one, the loop's thread stays first. */
static void lead_with_holder(const struct lk_rule_context *c, struct lk_wait_cycle *k)
{
    size_t first = k->n_cycle;
    for (size_t i = 0; i < k->n_cycle; i++) {
        if (k->chain.v[i].from.kind == LK_KIND_LOOP)
            return;
        if (keeps_gil(c, k, i) || (first == k->n_cycle && lk_cycle_holds_and_waits(c, k, i)))
            first = i;
        if (keeps_gil(c, k, i))
            break;
    }
    if (first == 0 || first == k->n_cycle)
        return;
    struct lk_edge *turned = lk_xcalloc(k->n_cycle, sizeof *turned);
    for (size_t i = 0; i < k->n_cycle; i++)
        turned[i] = k->chain.v[(first + i) % k->n_cycle];
    memcpy(k->chain.v, turned, k->n_cycle * sizeof *turned);
    lk_free(turned);
}

/* ---- all of them ---------------------------------------------------------------------- */

static void add_cycle(struct lk_rule_context *c, const struct lk_scc *scc)
{
    struct lk_wait_cycle k = { .chain = find_cycle(c, scc) };
    if (!k.chain.n) {
        lk_free(k.chain.v);
        return;
    }
    k.n_cycle = k.chain.n;
    lead_with_holder(c, &k);
    k.root = k.chain.v[0].from;
    add_alternatives(c, &k.chain, scc->n);
    k.only_alike = lk_trust_what_stays(c, k.chain.v, k.chain.n);
    weigh(c, &k);
    if (!k.threads && !k.tasks) { /* futures that complete one another: nobody waits in it */
        lk_free(k.chain.v);
        return;
    }
    k.rule = rule_of(&k);
    if (k.tasks || k.futures)
        lk_weigh_ring_enders(c, &k);
    lk_vec_add(c->cycles, k);
}

const struct lk_wait_cycles *lk_wait_cycles(struct lk_rule_context *c)
{
    if (c->cycles)
        return c->cycles;
    c->cycles = lk_xcalloc(1, sizeof *c->cycles);
    int tried = 0;
    for (int i = 0; i < c->graph->n_sccs && tried < MAX_CYCLES; i++) {
        if (!c->graph->sccs[i].knot)
            continue;
        add_cycle(c, &c->graph->sccs[i]);
        tried++;
    }
    return c->cycles;
}

void lk_wait_cycles_destroy(struct lk_wait_cycles *w)
{
    for (size_t i = 0; w && i < w->n; i++)
        lk_free(w->v[i].chain.v);
    if (w)
        lk_free(w->v);
    lk_free(w);
}

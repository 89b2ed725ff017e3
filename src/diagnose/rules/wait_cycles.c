/*
 * LK101 to LK108: knots of the wait-for graph. Each knot is one finding: its shortest cycle, and
 * where a node of the cycle has alternatives, the way back from each of them too. What the cycle
 * contains names the rule.
 */
#include "diagnose/rules/context.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_TRIES = 16,  /* starts from which a shortest cycle is looked for */
    MAX_KNOTS = 500, /* each is told apart; a process with more of them is told enough */
};

struct edges {
    struct lk_edge *v;
    size_t n, cap;
};

/* One knot as it will be told. The first n_cycle edges are a cycle, in order. */
struct knot {
    struct edges chain;
    size_t n_cycle;
    struct lk_ref root;
    /* distinct nodes of the cycle */
    size_t threads, loops, tasks, futures, locks, executors, others;
    bool gil, plain_locks; /* plain_locks: threads wait for locks and for nothing else */
    /* through what any code may end; through what a known party alone ends */
    bool soft, hard;
    bool timed;
    int64_t left_ms;  /* least timeout of the chain's members; LK_FOREVER */
    int64_t stuck_ms; /* least of the chain's threads; -1 unknown */
    bool has_thread, may_stall, seen_long_enough;
    bool steady; /* every link of it was the same before */
};

/* ---- the cycle ----------------------------------------------------------------------- */

static void try_start(const struct lk_graph *g, const struct lk_scc *scc, struct lk_ref start,
                      struct edges *best, struct edges *room)
{
    size_t n = lk_graph_cycle(g, start, room->v, scc->n);
    if (!n || (best->n && n >= best->n))
        return;
    struct edges old = *best;
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

static struct edges find_cycle(struct lk_rule_context *c, const struct lk_scc *scc)
{
    struct edges best = { .v = lk_xcalloc(scc->n, sizeof *best.v), .cap = scc->n };
    struct edges room = { .v = lk_xcalloc(scc->n, sizeof *room.v), .cap = scc->n };
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
    free(room.v);
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
static void add_alternatives(struct lk_rule_context *c, struct edges *chain, size_t max)
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
    free(done);
    free(known);
    free(path);
}

/* ---- what it contains ---------------------------------------------------------------- */

static void count_node(const struct lk_rule_context *c, struct knot *k, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(c->snap, r);
    switch (r.kind) {
    case LK_KIND_THREAD:
        k->threads++;
        k->gil |= t->wait.kind == LK_WAIT_GIL;
        k->plain_locks &= t->wait.kind == LK_WAIT_LOCK || t->wait.kind == LK_WAIT_IMPORT;
        break;
    case LK_KIND_LOOP: k->loops++; break;
    case LK_KIND_TASK: k->tasks++; break;
    case LK_KIND_FUTURE: k->futures++; break;
    case LK_KIND_LOCK: k->locks++; break;
    case LK_KIND_EXECUTOR: k->executors++; break;
    default: k->others++; break;
    }
}

/* A thread parked on an Event is no news; one that others need, for a lock or a result, is. */
static void weigh_edge(const struct lk_rule_context *c, struct knot *k, const struct lk_edge *e)
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

static void weigh_thread(const struct lk_rule_context *c, struct knot *k, const struct lk_thread *t)
{
    int64_t ms = lk_stuck(c, t);
    k->stuck_ms = k->has_thread ? LK_MIN(k->stuck_ms, ms) : ms;
    k->has_thread = true;
    k->may_stall |= lk_may_stall(c, t);
    k->seen_long_enough &= lk_seen_long_enough(c, t);
}

/* A task cannot move while its loop's thread does not. */
static void weigh_task(const struct lk_rule_context *c, struct knot *k, const struct lk_task *task)
{
    const struct lk_loop *o = lk_loop_at(c->snap, task->loop);
    const struct lk_thread *t = o ? lk_thread_at(c->snap, o->thread) : NULL;
    k->seen_long_enough &= t ? lk_seen_long_enough(c, t) : c->snap->watched_ms >= LK_TWO_SAMPLES_MS;
}

static void weigh(const struct lk_rule_context *c, struct knot *k)
{
    k->plain_locks = k->seen_long_enough = k->steady = true;
    k->left_ms = LK_FOREVER;
    k->stuck_ms = -1;
    for (size_t i = 0; i < k->chain.n; i++) {
        const struct lk_node *n = lk_graph_node(c->graph, k->chain.v[i].from);
        const struct lk_thread *t = lk_thread_at(c->snap, n->ref);
        const struct lk_task *task = lk_task_at(c->snap, n->ref);
        if (i < k->n_cycle)
            count_node(c, k, n->ref);
        weigh_edge(c, k, &k->chain.v[i]);
        k->steady &= k->chain.v[i].stable;
        k->timed |= n->life != LK_LIFE_DEAD;
        k->left_ms = LK_MIN(k->left_ms, n->timeout_ms);
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
static bool is_lock_across_await(const struct knot *k)
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

static const char *rule_of(const struct knot *k)
{
    bool no_loop = k->loops == 0;
    bool no_task = k->tasks == 0 && k->futures == 0;
    if (k->gil)
        return "LK107";
    if (k->loops >= 2)
        return "LK102";
    if (k->loops == 1 && k->threads)
        return is_lock_across_await(k) ? "LK106" : "LK101";
    if (no_loop && k->executors)
        return "LK104";
    if (no_loop && no_task && !k->others && k->locks && k->plain_locks)
        return "LK103";
    if (no_loop && !k->threads && !k->locks && !k->executors && !k->others && k->tasks)
        return "LK105";
    return "LK108";
}

/* ---- words --------------------------------------------------------------------------- */

/* "thread a [1] in f (x.py:3), task Task-2 (g) in g (x.py:9)" */
static const char *participants(const struct lk_rule_context *c, const struct knot *k,
                                enum lk_kind only, size_t most)
{
    const char *text = "";
    size_t n = 0, all = k->executors ? k->chain.n : k->n_cycle;
    for (size_t i = 0; i < all; i++) {
        struct lk_ref r = k->chain.v[i].from;
        if (r.kind != LK_KIND_THREAD && r.kind != LK_KIND_TASK)
            continue;
        if (only != LK_KIND_NONE && r.kind != only)
            continue;
        if (n++ >= most)
            return lk_print(c, "%s and others", text);
        struct lk_culprit p = lk_culprit_of(c, r);
        text = lk_print(c, "%s%s%s in %s", text, *text ? ", " : "", lk_name(c, r), lk_place(c, &p));
    }
    return text;
}

/* "thread a [1] (blocks in Future.result()) -> future f1 (its work item runs on) -> thread b [2]
 * ..." */
static const char *spelled_out(const struct lk_rule_context *c, const struct knot *k)
{
    enum { MOST = 16 };
    const char *text = lk_name(c, k->root);
    for (size_t i = 0; i < k->n_cycle && i < MOST; i++)
        text = lk_print(c, "%s (%s) -> %s", text, k->chain.v[i].why, lk_name(c, k->chain.v[i].to));
    return k->n_cycle > MOST ? lk_print(c, "%s -> ...", text) : text;
}

static struct lk_ref first_of(const struct knot *k, enum lk_kind kind)
{
    for (size_t i = 0; i < k->n_cycle; i++)
        if (k->chain.v[i].from.kind == kind)
            return k->chain.v[i].from;
    return (struct lk_ref){ LK_KIND_NONE, 0 };
}

/* The other threads of the cycle; the only one is named. */
static const char *by_way_of(const struct lk_rule_context *c, const struct knot *k)
{
    if (k->threads > 2)
        return lk_print(c, " (by way of %s)", lk_count(c, (int64_t)k->threads - 1, "other thread"));
    for (size_t i = 1; i < k->n_cycle; i++) {
        struct lk_ref r = k->chain.v[i].from;
        struct lk_culprit p = lk_culprit_of(c, r);
        if (r.kind == LK_KIND_THREAD && !lk_ref_eq(r, k->root))
            return lk_print(c, " (by way of %s in %s)", lk_name(c, r), lk_place(c, &p));
    }
    return "";
}

static const char *say_own_loop(const struct lk_rule_context *c, const struct knot *k,
                                const char *where)
{
    const struct lk_thread *t = lk_thread_at(c->snap, k->root);
    struct lk_ref awaited = k->chain.v[0].to;
    struct lk_ref task = first_of(k, LK_KIND_TASK);
    if (task.kind != LK_KIND_NONE && k->threads == 1)
        awaited = task;
    const char *ends = awaited.kind == LK_KIND_LOCK     ? "is given back"
                       : awaited.kind == LK_KIND_FUTURE ? "is completed"
                                                        : "can go on";
    return lk_print(c,
                    "%s runs %s and blocks in %s at %s on %s, which %s only when that loop runs "
                    "again%s: the loop waits for itself",
                    lk_name(c, k->root), lk_name(c, first_of(k, LK_KIND_LOOP)), lk_blocks_in(c, t),
                    where, lk_name(c, awaited), ends, by_way_of(c, k));
}

static bool holder_is_inferred(const struct knot *k)
{
    for (size_t i = 0; i < k->n_cycle; i++)
        if (k->chain.v[i].from.kind == LK_KIND_LOCK && k->chain.v[i].inferred)
            return true;
    return false;
}

static const char *summary_of(const struct lk_rule_context *c, const struct knot *k,
                              const char *rule, const char *where)
{
    switch (rule[4]) {
    case '1': return say_own_loop(c, k, where);
    case '2':
        return lk_print(c, "%zu event loops wait for each other: %s", k->loops,
                        participants(c, k, LK_KIND_THREAD, 4));
    case '3':
        if (k->threads == 1 && holder_is_inferred(k))
            return lk_print(c,
                            "%s waits in %s for %s, which is taken, and no other thread was found "
                            "that would give it back",
                            lk_name(c, k->root), where, lk_name(c, first_of(k, LK_KIND_LOCK)));
        if (k->threads == 1)
            return lk_print(c, "%s waits in %s for %s, which it holds itself", lk_name(c, k->root),
                            where, lk_name(c, first_of(k, LK_KIND_LOCK)));
        return lk_print(c, "%zu threads each hold a lock that another one of them waits for: %s",
                        k->threads, participants(c, k, LK_KIND_NONE, 4));
    case '4':
        return lk_print(
            c, "all workers of %s wait for work that is still in that same pool's queue: %s",
            lk_name(c, first_of(k, LK_KIND_EXECUTOR)), participants(c, k, LK_KIND_NONE, 3));
    case '5':
        return lk_print(c, "%s await each other in a ring: %s",
                        lk_count(c, (int64_t)k->tasks, "task"),
                        participants(c, k, LK_KIND_TASK, 4));
    case '6': {
        struct lk_culprit holder = lk_culprit_of(c, first_of(k, LK_KIND_TASK));
        return lk_print(c,
                        "%s is suspended in %s with %s in its hands, and %s, which runs its loop, "
                        "blocks on that lock in %s",
                        lk_name(c, first_of(k, LK_KIND_TASK)), lk_place(c, &holder),
                        lk_name(c, first_of(k, LK_KIND_LOCK)), lk_name(c, k->root), where);
    }
    case '7':
        return lk_print(c,
                        "the holder of the GIL waits for a lock whose holder waits for the GIL: %s",
                        participants(c, k, LK_KIND_NONE, 4));
    default: return lk_print(c, "a cycle of waits: %s", spelled_out(c, k));
    }
}

const char *lk_end_process_words(const struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    if (s->supervisor_timeout_ms != LK_UNKNOWN && s->supervisor_timeout_ms > 0)
        return lk_print(c,
                        "end this worker with kill -TERM %lld (then -KILL): its supervisor starts "
                        "another one, and may do so by itself after "
                        "%s without a heartbeat.",
                        (long long)s->pid, lk_duration(c, s->supervisor_timeout_ms));
    return lk_print(
        c, "restart the process: kill -TERM %lld, then kill -KILL %lld if it does not end.",
        (long long)s->pid, (long long)s->pid);
}

/* A task of the chain that could be told to stop, because its own loop is not part of it. */
static struct lk_ref cancellable(const struct lk_rule_context *c, const struct knot *k)
{
    for (size_t i = 0; i < k->n_cycle; i++) {
        const struct lk_task *t = lk_task_at(c->snap, k->chain.v[i].from);
        const struct lk_node *loop = t ? lk_graph_node(c->graph, t->loop) : NULL;
        if (loop && t->state == LK_TASK_PENDING && loop->life == LK_LIFE_LIVE)
            return k->chain.v[i].from;
    }
    return (struct lk_ref){ LK_KIND_NONE, 0 };
}

static const char *safe_now(const struct lk_rule_context *c, const struct lk_finding *f,
                            const struct knot *k)
{
    struct lk_ref task = cancellable(c, k);
    if (k->timed)
        return lk_print(
            c, "It ends by itself when the timeout in or around the chain runs out%s.",
            k->left_ms == LK_FOREVER ? "" : lk_print(c, " (%s left)", lk_duration(c, k->left_ms)));
    if (k->soft)
        return lk_print(c,
                        "Whatever ends one of these waits (a set() or release() from other code) "
                        "frees it; none is known to come. Or else %s",
                        lk_end_process_words(c));
    if (task.kind != LK_KIND_NONE)
        return lk_print(c,
                        "Cancel %s: its loop still runs, so loop.call_soon_threadsafe(task.cancel) "
                        "reaches it. Or else %s",
                        lk_name(c, task), lk_end_process_words(c));
    if (f->confidence < LK_PROVEN)
        return lk_print(c,
                        "Nothing that would free it was found; that is not certain. Cancelling "
                        "does not interrupt a blocked "
                        "thread. Unless it moves by itself, %s",
                        lk_end_process_words(c));
    return lk_print(c,
                    "Nothing inside the process frees it: no wait in the chain has a timeout, and "
                    "cancelling does not interrupt a "
                    "blocked thread. %s",
                    lk_capitalized(c, lk_end_process_words(c)));
}

/* ---- the finding --------------------------------------------------------------------- */

/* True when it is worth telling. */
static bool judge(struct lk_rule_context *c, struct lk_finding *f, const struct knot *k)
{
    const bool over = c->snap->watched_ms >= c->snap->stalled_after_ms;
    int64_t age = k->has_thread ? k->stuck_ms : k->steady ? c->snap->watched_ms : 0;
    bool old = age >= c->snap->stalled_after_ms;
    if (!k->seen_long_enough)
        lk_finding_doubt(f, LK_PROBABLE);
    if (f->confidence == LK_PROVEN && !k->timed) {
        f->severity = LK_DEADLOCK;
        return true;
    }
    f->severity = old ? LK_STALLED : LK_HAZARD;
    f->needs_time = !old && k->may_stall;
    c->out->look_later |= !over && !k->has_thread && !c->halted;
    /* Tasks that soon make room for others: each such ring ends. */
    if (over && !k->has_thread && !k->steady)
        return false;
    if (old || (f->confidence > LK_POSSIBLE && !k->soft))
        return !k->soft || k->hard;
    if (k->soft && !k->hard)
        return false;
    /* Seen once, by a reader that a running thread may have outrun: look again before saying
     * anything. */
    for (size_t i = 0; f->needs_time && i < f->threads.n; i++)
        lk_watch(c, f->threads.v[i]);
    return false;
}

/* The party that holds a lock of the cycle and waits for something that is none: which of the two
 * to give up is its choice. */
static bool holds_and_waits(const struct lk_rule_context *c, const struct knot *k, size_t i)
{
    const struct lk_edge *in = &k->chain.v[i ? i - 1 : k->n_cycle - 1], *out = &k->chain.v[i];
    const struct lk_lock *to = lk_lock_at(c->snap, out->to);
    return in->from.kind == LK_KIND_LOCK && (!to || !to->mutex) &&
           (lk_thread_at(c->snap, out->from) || lk_task_at(c->snap, out->from));
}

/* The thread that another one of the cycle wants the GIL of: it is the one that should have given
 * it up before it waited. */
static bool keeps_gil(const struct lk_rule_context *c, const struct knot *k, size_t i)
{
    const struct lk_thread *in = lk_thread_at(c->snap, k->chain.v[i ? i - 1 : k->n_cycle - 1].from);
    return in && in->wait.kind == LK_WAIT_GIL && lk_thread_at(c->snap, k->chain.v[i].from);
}

/* Where a lock is held around a wait for a loop, giving it up is the nearest change: the rule's
 * advice is about the wait. */
static const char *remedy(const struct lk_rule_context *c, const struct lk_finding *f,
                          const struct knot *k)
{
    const struct lk_lock *own =
        k->threads == 1 && k->n_cycle == 2 ? lk_lock_at(c->snap, first_of(k, LK_KIND_LOCK)) : NULL;
    if (own && own->kind && strcmp(own->kind, "threading.Lock") == 0)
        return "Do not take a lock again that the same thread holds: make it a threading.RLock, or "
               "split off a part that "
               "is called with the lock held. Code that interrupts (signal handlers, __del__, "
               "callbacks of weakref) takes no "
               "lock; it leaves its work to a SimpleQueue or to the main loop.";
    for (size_t i = 0; k->loops && i < k->n_cycle; i++) {
        struct lk_ref holder = k->chain.v[i].from,
                      lock = k->chain.v[i ? i - 1 : k->n_cycle - 1].from;
        struct lk_culprit p = lk_culprit_of(c, holder);
        if (holder.kind == LK_KIND_THREAD && holds_and_waits(c, k, i))
            return lk_print(c, "Give %s up before waiting: %s holds it in %s. %s", lk_name(c, lock),
                            lk_name(c, holder), lk_place(c, &p), f->remedy);
    }
    return f->remedy;
}

static void describe(struct lk_rule_context *c, struct lk_finding *f, const struct knot *k)
{
    const char *where = f->culprits.n ? lk_place(c, &f->culprits.v[0]) : "an unknown place";
    f->summary = summary_of(c, k, f->rule->id, where);
    if (k->timed)
        f->summary = lk_print(
            c, "%s; a timeout ends it%s", f->summary,
            k->left_ms == LK_FOREVER ? "" : lk_print(c, " in %s", lk_duration(c, k->left_ms)));
    if (f->stuck_ms != LK_UNKNOWN)
        lk_finding_say(c, f, "no thread of the chain made progress for %s, by %s",
                       lk_duration(c, f->stuck_ms),
                       f->stuck_by_scheduler ? "the scheduler's own record" : "comparing samples");
    if (k->soft)
        lk_finding_say(c, f,
                       "other code could end one of these waits, but none that is at work and "
                       "would was found");
    else if (!k->timed && f->confidence < LK_PROVEN)
        lk_finding_say(
            c, f,
            "no wait in the chain has a timeout, and no other party that could end it was found");
    else if (!k->timed)
        lk_finding_say(
            c, f,
            "no wait in the chain has a timeout, and every party that could end it is part of it");
    f->safe_now = safe_now(c, f, k);
    f->remedy = remedy(c, f, k);
}

/* A cycle without a loop starts at such a party; with one, the loop's thread stays first. */
static void lead_with_holder(const struct lk_rule_context *c, struct knot *k)
{
    size_t first = k->n_cycle;
    for (size_t i = 0; i < k->n_cycle; i++) {
        if (k->chain.v[i].from.kind == LK_KIND_LOOP)
            return;
        if (keeps_gil(c, k, i) || (first == k->n_cycle && holds_and_waits(c, k, i)))
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
    free(turned);
}

static void tell(struct lk_rule_context *c, const struct lk_scc *scc)
{
    struct knot k = { .chain = find_cycle(c, scc) };
    if (!k.chain.n) {
        free(k.chain.v);
        return;
    }
    k.n_cycle = k.chain.n;
    lead_with_holder(c, &k);
    k.root = k.chain.v[0].from;
    add_alternatives(c, &k.chain, scc->n);
    weigh(c, &k);
    struct lk_finding f = lk_finding_start(c, rule_of(&k));
    for (size_t i = 0; i < k.chain.n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, k.chain.v[i].from);
        lk_finding_part(c, &f, k.chain.v[i].from, true);
        if (t)
            lk_finding_since(c, &f, t);
    }
    lk_finding_chain(c, &f, k.chain.v, k.chain.n);
    if (judge(c, &f, &k)) {
        struct lk_ref *members = lk_xcalloc(k.chain.n, sizeof *members);
        for (size_t i = 0; i < k.chain.n; i++)
            members[i] = k.chain.v[i].from;
        describe(c, &f, &k);
        lk_finding_held_by(c, &f, members, k.chain.n);
        lk_finding_file(c, &f);
        lk_explain_all(c, members, k.chain.n);
        free(members);
    } else {
        lk_finding_drop(&f);
    }
    free(k.chain.v);
}

void lk_find_knots(struct lk_rule_context *c)
{
    int told = 0;
    for (int i = 0; i < c->graph->n_sccs && told < MAX_KNOTS; i++) {
        if (!c->graph->sccs[i].knot)
            continue;
        tell(c, &c->graph->sccs[i]);
        told++;
    }
}

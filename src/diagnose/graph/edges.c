/*
 * The edges of the wait-for graph: one function a kind of entity says through whom it goes on,
 * which of its edges are needed in any case, and whether other code may end its wait too. Facts:
 * asyncio copies a task's result to a concurrent future in a callback of the task's loop (CPython
 * Lib/asyncio/futures.py _chain_future); the GIL's timeout only asks the holder again
 * (Python/ceval_gil.c take_gil).
 */
#include "diagnose/graph/graph.h"

#include <stdlib.h>
#include <string.h>

#include "diagnose/graph/graph_internal.h"

struct build {
    struct lk_graph *g;
    const struct lk_snapshot *s;
    LK_VEC(struct lk_edge) edges;
};

/* How an edge was read. */
struct how {
    const char *why;
    enum lk_read read;
    bool inferred, stable;
};

static bool exists(const struct lk_snapshot *s, struct lk_ref r)
{
    return r.kind != LK_KIND_NONE && lk_ref_id(s, r) != NULL;
}

static void set_base(struct lk_node *n, enum lk_life life)
{
    n->base = LK_MAX(n->base, life);
}

static void add_edge(struct build *b, struct lk_node *n, struct lk_ref to, struct how how)
{
    if (!exists(b->s, to)) {
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
static void add_must(struct build *b, struct lk_node *n, struct lk_ref to, struct how how)
{
    size_t before = n->n_edges;
    add_edge(b, n, to, how);
    n->n_must += n->n_edges - before;
}

static void add_timeout(struct lk_node *n, int64_t ms)
{
    if (ms == LK_UNKNOWN)
        n->open = true; /* there may be one */
    else if (ms != LK_FOREVER)
        n->timeout_ms = LK_MIN(n->timeout_ms, LK_MAX(ms, 0));
}

/* A timer that is one of several alternatives is a timeout, not a party. */
static void add_group(struct build *b, struct lk_node *n, const struct lk_refs *on, struct how how)
{
    for (size_t i = 0; i < on->n; i++) {
        const struct lk_extern *e = lk_extern_at(b->s, on->v[i]);
        if (!n->all && on->n > 1 && e && e->kind == LK_EXT_TIMER)
            add_timeout(n, e->in_ms);
        else
            add_edge(b, n, on->v[i], how);
    }
}

/* ---- waits --------------------------------------------------------------------------- */

/* What a wait of each kind means: what is left when nothing is named that it is on, and the words
 * for its edges. */
static const struct wait_row {
    enum lk_life alone;
    bool parks; /* needs no cause: whatever it is on does not hold it up */
    const char *why;
} wait_rows[] = {
    [LK_WAIT_NONE] = { LK_LIFE_LIVE, true, "runs" },
    [LK_WAIT_UNKNOWN] = { LK_LIFE_OPEN, false, "blocks on something that was not found out" },
    [LK_WAIT_LOCK] = { LK_LIFE_OPEN, false, "waits for the lock" },
    [LK_WAIT_CONDITION] = { LK_LIFE_OPEN, false, "waits for the condition" },
    [LK_WAIT_EVENT] = { LK_LIFE_OPEN, false, "waits for the event" },
    [LK_WAIT_SEMAPHORE] = { LK_LIFE_OPEN, false, "waits for the semaphore" },
    [LK_WAIT_BARRIER] = { LK_LIFE_OPEN, false, "waits at the barrier" },
    [LK_WAIT_QUEUE_GET] = { LK_LIFE_OPEN, false, "waits for an item of the queue" },
    [LK_WAIT_QUEUE_PUT] = { LK_LIFE_OPEN, false, "waits for room in the queue" },
    [LK_WAIT_QUEUE_JOIN] = { LK_LIFE_OPEN, false, "waits for the queue to be worked off" },
    [LK_WAIT_FUTURE] = { LK_LIFE_OPEN, false, "waits for the result of" },
    [LK_WAIT_JOIN] = { LK_LIFE_OPEN, false, "joins" },
    [LK_WAIT_GIL] = { LK_LIFE_LIVE, false, "waits for the GIL held by" },
    [LK_WAIT_IMPORT] = { LK_LIFE_OPEN, false, "waits for the import lock" },
    [LK_WAIT_SELECTOR] = { LK_LIFE_LIVE, true, "idles in the selector of" },
    [LK_WAIT_EXECUTOR_IDLE] = { LK_LIFE_LIVE, true, "waits for work from" },
    [LK_WAIT_IO] = { LK_LIFE_EXTERN, false, "waits for" },
    [LK_WAIT_SLEEP] = { LK_LIFE_TIMED, false, "sleeps" },
    [LK_WAIT_CHILD] = { LK_LIFE_EXTERN, false, "waits for the child process" },
    [LK_WAIT_SIGNAL] = { LK_LIFE_EXTERN, false, "waits for a signal" },
    [LK_WAIT_READY] = { LK_LIFE_LIVE, true, "is in the ready queue of" },
};

static const struct wait_row *wait_row(const struct lk_wait *w)
{
    size_t kind = (size_t)w->kind;
    return &wait_rows[kind < LK_ARRAY_LEN(wait_rows) ? kind : (size_t)LK_WAIT_UNKNOWN];
}

/* Any code may end it, but there are parties that are known to be about to. */
static bool has_likely_enders(const struct build *b, const struct lk_wait *w)
{
    const struct lk_lock *l = w->on.n == 1 ? lk_lock_at(b->s, w->on.v[0]) : NULL;
    return l && l->likely_enders.n;
}

/* The wait's own part of a node: its group of edges, whether it is open, its timeout. */
static void add_wait(struct build *b, struct lk_node *n, const struct lk_wait *w, struct how how)
{
    const struct wait_row *row = wait_row(w);
    if (row->parks) {
        set_base(n, row->alone);
        return;
    }
    n->all = !w->any;
    if (w->kind == LK_WAIT_SLEEP)
        set_base(n, LK_LIFE_TIMED);  /* its timeout is its purpose */
    else if (w->kind != LK_WAIT_GIL) /* whose timeout only asks the holder again */
        add_timeout(n, w->timeout_ms);
    size_t before = n->n_edges;
    add_group(b, n, &w->on, how);
    if (n->n_edges == before)
        set_base(n, row->alone);
    else if (!w->complete && w->kind != LK_WAIT_GIL && !has_likely_enders(b, w))
        n->open = true;
}

/* ---- one function a kind ------------------------------------------------------------- */

static bool acts(const struct build *b, const struct lk_thread *t)
{
    bool long_stuck = t->stuck_ms != LK_UNKNOWN && t->stuck_ms >= b->s->stalled_after_ms;
    return t->running || (t->moved && !long_stuck) || t->kstate == 'Z' || t->kstate == 'X';
}

/* An idle selector serves its loop; the call that drives the loop returns only when what it drives
 * is done. */
static void build_driver(struct build *b, struct lk_node *n, const struct lk_thread *t)
{
    if (!exists(b->s, t->drives)) {
        set_base(n, LK_LIFE_LIVE);
        return;
    }
    n->all = true;
    add_edge(b, n, t->drives,
             (struct how){ "runs its loop until the end of", t->wait.read, false, t->stable });
}

/* Only a holder that is another thread, and that the runtime's own record names too, keeps a thread
 * from the GIL. */
static bool gil_holder_is_known(const struct build *b, const struct lk_node *n,
                                const struct lk_wait *w)
{
    const struct lk_thread *holder = w->on.n == 1 ? lk_thread_at(b->s, w->on.v[0]) : NULL;
    return holder && holder->holds_gil && !lk_ref_eq(w->on.v[0], n->ref);
}

/* A pipe both ends of which only this process has. */
static bool waits_for_own_pipe(const struct lk_thread *t)
{
    return t->wait.kind == LK_WAIT_IO && t->os.on == LK_OS_PIPE && t->os.peer_is == LK_PEER_SELF &&
           t->wait.timeout_ms == LK_FOREVER;
}

/* Waits that end only by another party of this process. */
static bool needs_others(const struct lk_thread *t)
{
    enum lk_wait_kind kind = t->wait.kind;
    return waits_for_own_pipe(t) || kind == LK_WAIT_LOCK || kind == LK_WAIT_JOIN ||
           kind == LK_WAIT_FUTURE || kind == LK_WAIT_IMPORT || kind == LK_WAIT_GIL;
}

/* Nobody in the process acts: each of its threads waits for another one. */
static bool all_need_others(const struct build *b)
{
    enum { MOST = 256 }; /* edges to each of them are drawn */
    if (b->s->threads.n > MOST)
        return false;
    for (size_t i = 0; i < b->s->threads.n; i++)
        if (acts(b, &b->s->threads.v[i]) || !needs_others(&b->s->threads.v[i]))
            return false;
    return true;
}

/*
 * The other end of the pipe is in the hands of whichever thread means to use it. When all of them
 * wait none will; that a signal handler would, or code that nobody sees, is unlikely rather than
 * excluded.
 */
static bool build_own_pipe(struct build *b, struct lk_node *n, const struct lk_thread *t)
{
    if (!waits_for_own_pipe(t) || b->s->threads.n < 2 || b->s->handles_signals != LK_NO ||
        !all_need_others(b))
        return false;
    for (size_t i = 0; i < b->s->threads.n; i++)
        if (i != n->ref.index)
            add_edge(b, n, lk_ref_make(LK_KIND_THREAD, i),
                     (struct how){ "waits at a pipe of its own process for", t->wait.read, true,
                                   t->stable });
    return true;
}

static void build_thread(struct build *b, struct lk_node *n, const struct lk_thread *t)
{
    const struct lk_wait *w = &t->wait;
    if (acts(b, t)) {
        set_base(n, LK_LIFE_LIVE);
        return;
    }
    if (t->no_answer) {
        n->dead_end = true;
        n->why_dead = "the processes that could end its wait wait for this one";
        return;
    }
    if (w->kind == LK_WAIT_SELECTOR) {
        build_driver(b, n, t);
        return;
    }
    if (w->kind == LK_WAIT_GIL && !gil_holder_is_known(b, n, w)) {
        set_base(n, LK_LIFE_LIVE);
        return;
    }
    if (build_own_pipe(b, n, t))
        return;
    struct how how = { wait_row(w)->why, w->read, false, t->stable };
    if (w->gate.kind != LK_KIND_NONE)
        add_must(b, n, w->gate, (struct how){ "needs the lock again", w->read, false, t->stable });
    if (w->call && !wait_row(w)->parks && w->kind != LK_WAIT_GIL)
        how.why = lk_arena_printf(b->g->arena, "blocks in %s", w->call);
    add_wait(b, n, w, how);
}

/* True when the loop can come round by itself: its thread is in its own selector. */
static bool loop_idles(const struct build *b, size_t index, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(b->s, o->thread);
    if (o->in_own_selector != LK_TRI_UNKNOWN)
        return o->in_own_selector == LK_YES;
    if (!t || t->wait.kind != LK_WAIT_SELECTOR)
        return false;
    for (size_t i = 0; i < t->wait.on.n; i++)
        if (lk_ref_eq(t->wait.on.v[i], lk_ref_make(LK_KIND_LOOP, index)))
            return true;
    return t->wait.on.n == 0;
}

static void build_loop(struct build *b, struct lk_node *n, size_t index, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(b->s, o->thread);
    switch (o->run) {
    case LK_LOOP_CLOSED:
        n->dead_end = true;
        n->why_dead = "the loop is closed";
        return;
    case LK_LOOP_LOST_IN_FORK:
        n->dead_end = true;
        n->why_dead = "the loop's thread exists only in the parent process";
        return;
    case LK_LOOP_RUNNING:
        if (loop_idles(b, index, o))
            set_base(n, LK_LIFE_LIVE);
        else
            add_must(b, n, o->thread,
                     (struct how){ "run by", LK_MIN(o->read, t ? t->read : LK_READ_RACY), false,
                                   t && t->stable });
        if (n->n_must)
            set_base(n, LK_LIFE_LIVE);
        return;
    case LK_LOOP_STOPPED:
    case LK_LOOP_NEVER_RUN:
    case LK_LOOP_UNKNOWN: break;
    }
    n->open = true;
}

/* Needs nothing but its loop: a step of it is queued, or will be by a cancellation under way. */
static bool task_is_ready(const struct lk_task *k)
{
    return k->ready || !k->started || k->must_cancel || k->wait.kind == LK_WAIT_READY;
}

static void build_task(struct build *b, struct lk_node *n, const struct lk_task *k)
{
    if (k->state != LK_TASK_PENDING && k->state != LK_TASK_RUNNING) {
        set_base(n, LK_LIFE_LIVE);
        return;
    }
    struct how how = { "scheduled on", k->read, false, k->stable };
    const struct lk_loop *o = lk_loop_at(b->s, k->loop);
    if (k->state == LK_TASK_RUNNING && exists(b->s, k->run_by)) {
        /* Through the loop where it is that thread's: then the chain says that a loop is part of
         * it. */
        bool own = o && o->run == LK_LOOP_RUNNING && lk_ref_eq(o->thread, k->run_by);
        how.why = "its step runs on";
        add_must(b, n, own ? k->loop : k->run_by, how);
        set_base(n, LK_LIFE_LIVE);
        return;
    }
    add_must(b, n, k->loop, how);
    if (k->state == LK_TASK_RUNNING || task_is_ready(k)) {
        set_base(n, LK_LIFE_LIVE);
        return;
    }
    if (k->wait.kind == LK_WAIT_NONE) {
        n->open = true; /* suspended, and what it awaits was not found */
        return;
    }
    how.why = "awaits";
    add_wait(b, n, &k->wait, how);
}

/* Words for the way a future gets its result; static, since there may be 100,000 of them. */
static const char *ender_words(const struct lk_future *f, enum lk_kind kind)
{
    static const char *const words[LK_N_ORIGINS] = {
        [LK_ORIGIN_RUN_COROUTINE_THREADSAFE] = "set by run_coroutine_threadsafe",
        [LK_ORIGIN_EXECUTOR] = "set by the executor",
        [LK_ORIGIN_GATHER] = "gathers",
        [LK_ORIGIN_WAIT] = "waits for",
        [LK_ORIGIN_WAIT_FOR] = "set by wait_for",
        [LK_ORIGIN_SHIELD] = "shields",
        [LK_ORIGIN_WRAP_FUTURE] = "copied from",
        [LK_ORIGIN_SLEEP] = "set by the timer",
        [LK_ORIGIN_TASK_GROUP] = "set by the task group",
    };
    if (kind == LK_KIND_LOOP)
        return "its task is yet to be created by a callback queued on";
    if (kind == LK_KIND_EXECUTOR)
        return "its work item is queued in";
    if (kind == LK_KIND_THREAD)
        return "its work item runs on";
    if ((unsigned)f->origin < LK_N_ORIGINS && words[f->origin])
        return words[f->origin];
    return "completed by";
}

/*
 * The loop that delivers a concurrent future's result when it is pending although its task is done:
 * asyncio/futures.py _chain_future copies the result in a callback of the task, which
 * Task.__schedule_callbacks put into that loop's queue.
 */
static struct lk_ref deliverer(const struct build *b, const struct lk_future *f,
                               struct lk_ref ender)
{
    const struct lk_task *k = f->concurrent ? lk_task_at(b->s, ender) : NULL;
    bool done = k && (k->state == LK_TASK_DONE || k->state == LK_TASK_CANCELLED);
    return done && exists(b->s, k->loop) ? k->loop : (struct lk_ref){ LK_KIND_NONE, 0 };
}

/* Edges for the results that are known but not delivered yet; true when there was one (the loop
 * itself may be an ender too). */
static bool add_undelivered(struct build *b, struct lk_node *n, const struct lk_future *f)
{
    size_t before = n->n_edges;
    for (size_t i = 0; i < f->enders.n && n->n_edges == before; i++) {
        struct lk_ref loop = deliverer(b, f, f->enders.v[i]);
        if (loop.kind == LK_KIND_NONE)
            continue;
        const struct lk_task *k = lk_task_at(b->s, f->enders.v[i]);
        add_edge(b, n, loop,
                 (struct how){ "its result is yet to be delivered by", LK_MIN(f->read, k->read),
                               false, f->stable && k->stable });
    }
    return n->n_edges > before;
}

static void build_future(struct build *b, struct lk_node *n, const struct lk_future *f)
{
    if (f->state == LK_FUTURE_DONE || f->state == LK_FUTURE_CANCELLED) {
        set_base(n, LK_LIFE_LIVE);
        return;
    }
    n->all = f->all;
    n->soft = f->enders_likely && f->state != LK_FUTURE_STATE_UNKNOWN;
    n->open = !n->soft &&
              (f->state == LK_FUTURE_STATE_UNKNOWN || !f->enders_complete || f->enders.n == 0);
    if (add_undelivered(b, n, f))
        return;
    struct how how = { ender_words(f, f->enders.n ? f->enders.v[0].kind : LK_KIND_NONE), f->read,
                       n->soft, f->stable };
    add_group(b, n, &f->enders, how);
}

static bool is_listed(const struct lk_refs *list, struct lk_ref r)
{
    for (size_t i = 0; i < list->n; i++)
        if (lk_ref_eq(list->v[i], r))
            return true;
    return false;
}

/* Enters it by a with statement: that is no way to wait for a signal. */
static bool is_entered(const struct build *b, const struct lk_lock *l)
{
    const struct lk_thread *t = l->waiters.n ? lk_thread_at(b->s, l->waiters.v[0]) : NULL;
    return t && (t->wait.traits & LK_WAIT_BY_WITH);
}

/*
 * What the process holds as a whole, or a lock that records no holder, any of its threads may give
 * back: only when each of them waits for another is it known that none will. Otherwise nothing says
 * whether one of the others is going to. False then.
 */
static bool build_lock_of_process(struct build *b, struct lk_node *n, const struct lk_lock *l)
{
    /* Locks serve as signals, too: a bare acquire() that parks the only thread, or what a signal
     * handler gives back, is no mutual wait. */
    if (!l->of_process &&
        ((b->s->threads.n < 2 && !is_entered(b, l)) || b->s->handles_signals != LK_NO))
        return false;
    if (!all_need_others(b))
        return false;
    const char *why = l->of_process ? "held by the process of" : "can be given back only by";
    bool all_wait_for_it = l->waiters.n >= b->s->threads.n;
    for (size_t i = 0; i < b->s->threads.n; i++) {
        const struct lk_thread *t = &b->s->threads.v[i];
        struct lk_ref ref = lk_ref_make(LK_KIND_THREAD, i);
        /* Who waits for it gives it back no sooner than it is given back; that is no holder, unless
         * there is nobody else. */
        if (all_wait_for_it || !is_listed(&l->waiters, ref))
            add_edge(b, n, ref,
                     (struct how){ why, LK_MIN(l->read, t->read), !l->of_process,
                                   l->stable && t->stable });
    }
    return true;
}

static void build_lock(struct build *b, struct lk_node *n, const struct lk_lock *l)
{
    if (l->lost_in_fork) {
        n->dead_end = true;
        n->why_dead = "the thread that holds it exists only in the parent process";
        return;
    }
    if (l->set || l->locked == LK_NO || l->owner_by == LK_OWNER_FREE) {
        set_base(n, LK_LIFE_LIVE);
        return;
    }
    n->all = false;
    if ((l->of_process || (l->unowned && !l->owners.n)) && build_lock_of_process(b, n, l))
        return;
    n->soft = l->likely_enders.n && l->owners.n == 0;
    n->open = !n->soft && (!l->mutex || l->owners.n == 0);
    if (n->soft)
        add_group(b, n, &l->likely_enders, (struct how){ l->likely_for, l->read, true, l->stable });
    if (!l->mutex)
        return;
    bool inferred = l->owner_by != LK_OWNER_FIELD && !l->owner_certain;
    add_group(b, n, &l->owners, (struct how){ "held by", l->read, inferred, l->stable });
}

/* An item in the queue is picked up by whichever worker comes back first. */
static void build_executor(struct build *b, struct lk_node *n, const struct lk_executor *x)
{
    if (x->lost_in_fork) {
        n->dead_end = true;
        n->why_dead = "its worker threads exist only in the parent process";
        return;
    }
    n->open =
        x->max_workers == LK_UNKNOWN || x->workers.n == 0 || (int64_t)x->workers.n < x->max_workers;
    for (size_t i = 0; i < x->workers.n; i++) {
        const struct lk_thread *t = lk_thread_at(b->s, x->workers.v[i]);
        add_edge(b, n, x->workers.v[i],
                 (struct how){ "waits for its worker", LK_MIN(x->read, t ? t->read : LK_READ_RACY),
                               false, t && t->stable });
    }
}

static void build_extern(struct lk_node *n, const struct lk_extern *e)
{
    static const enum lk_life life[] = {
        [LK_EXT_OUTSIDE] = LK_LIFE_EXTERN,       [LK_EXT_TIMER] = LK_LIFE_TIMED,
        [LK_EXT_CHILD] = LK_LIFE_EXTERN,         [LK_EXT_FILE] = LK_LIFE_EXTERN,
        [LK_EXT_SELF_LISTENER] = LK_LIFE_EXTERN, [LK_EXT_UNKNOWN] = LK_LIFE_OPEN,
    };
    set_base(n, (size_t)e->kind < LK_ARRAY_LEN(life) ? life[e->kind] : LK_LIFE_OPEN);
}

static void build_node(struct build *b, struct lk_node *n)
{
    const struct lk_snapshot *s = b->s;
    size_t i = n->ref.index;
    switch (n->ref.kind) {
    case LK_KIND_THREAD: build_thread(b, n, &s->threads.v[i]); break;
    case LK_KIND_LOOP: build_loop(b, n, i, &s->loops.v[i]); break;
    case LK_KIND_TASK: build_task(b, n, &s->tasks.v[i]); break;
    case LK_KIND_FUTURE: build_future(b, n, &s->futures.v[i]); break;
    case LK_KIND_LOCK: build_lock(b, n, &s->locks.v[i]); break;
    case LK_KIND_EXECUTOR: build_executor(b, n, &s->executors.v[i]); break;
    case LK_KIND_EXTERN: build_extern(n, &s->externs.v[i]); break;
    case LK_KIND_NONE: break;
    }
}

void lk_graph_make_edges(struct lk_graph *g)
{
    struct build b = { .g = g, .s = g->snap };
    for (size_t i = 0; i < g->n_nodes; i++)
        build_node(&b, &g->nodes[i]);
    g->edges = b.edges.v;
    g->n_edges = b.edges.n;
}

/*
 * Edges of who acts: threads, loops, tasks. What a wait of each kind means, which lock a waiter
 * needs again, and what drives a loop. Facts: a thread's timed wait for the GIL only asks the
 * holder again (CPython Python/ceval_gil.c take_gil); Condition.wait takes its lock again before it
 * returns (Lib/threading.py).
 */
#include "diagnose/graph/party_edges.h"

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
static bool has_likely_enders(const struct lk_edge_build *b, const struct lk_wait *w)
{
    const struct lk_lock *l = w->on.n == 1 ? lk_lock_at(b->s, w->on.v[0]) : NULL;
    return l && l->likely_enders.n;
}

/* The wait's own part of a node: its group of edges, whether it is open, its timeout. */
static void add_wait(struct lk_edge_build *b, struct lk_node *n, const struct lk_wait *w,
                     struct lk_edge_how how)
{
    const struct wait_row *row = wait_row(w);
    if (row->parks) {
        lk_node_set_base(n, row->alone);
        return;
    }
    n->all = !w->any;
    n->fails_early = w->traits & LK_WAIT_FAILS_EARLY;
    if (w->kind == LK_WAIT_SLEEP)
        lk_node_set_base(n, LK_LIFE_TIMED); /* its timeout is its purpose */
    else if (w->kind != LK_WAIT_GIL)        /* whose timeout only asks the holder again */
        lk_add_timeout(n, w->timeout_ms);
    size_t before = n->n_edges;
    lk_add_edge_group(b, n, &w->on, how);
    if (n->n_edges == before)
        lk_node_set_base(n, row->alone);
    else if (!w->complete && w->kind != LK_WAIT_GIL && !has_likely_enders(b, w))
        n->open = true;
}

/* ---- threads, loops, tasks -------------------------------------------------------------- */

/* An idle selector serves its loop; the call that drives the loop returns only when what it drives
 * is done. */
static void build_driver(struct lk_edge_build *b, struct lk_node *n, const struct lk_thread *t)
{
    if (!lk_edge_end_exists(b->s, t->drives)) {
        lk_node_set_base(n, LK_LIFE_LIVE);
        return;
    }
    n->all = true;
    lk_add_edge(
        b, n, t->drives,
        (struct lk_edge_how){ "runs its loop until the end of", t->wait.read, false, t->stable });
}

/* Only a holder that is another thread, and that the runtime's own record names too, keeps a thread
 * from the GIL. */
static bool gil_holder_is_known(const struct lk_edge_build *b, const struct lk_node *n,
                                const struct lk_wait *w)
{
    const struct lk_thread *holder = w->on.n == 1 ? lk_thread_at(b->s, w->on.v[0]) : NULL;
    return holder && holder->holds_gil && !lk_ref_eq(w->on.v[0], n->ref);
}

/*
 * The other end of the pipe is in the hands of whichever thread means to use it. When all of them
 * wait none will; that a signal handler would, or code that nobody sees, is unlikely rather than
 * excluded.
 */
static bool build_own_pipe(struct lk_edge_build *b, struct lk_node *n, const struct lk_thread *t)
{
    if (!lk_waits_for_own_pipe(t) || b->s->threads.n < 2 || b->s->handles_signals != LK_NO ||
        !lk_all_need_others(b))
        return false;
    for (size_t i = 0; i < b->s->threads.n; i++)
        if (i != n->ref.index)
            lk_add_edge(b, n, lk_ref_make(LK_KIND_THREAD, i),
                        (struct lk_edge_how){ "waits at a pipe of its own process for",
                                              t->wait.read, true, t->stable });
    return true;
}

void lk_make_thread_edges(struct lk_edge_build *b, struct lk_node *n, const struct lk_thread *t)
{
    const struct lk_wait *w = &t->wait;
    if (lk_thread_acts(b, t)) {
        lk_node_set_base(n, LK_LIFE_LIVE);
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
        lk_node_set_base(n, LK_LIFE_LIVE);
        return;
    }
    if (build_own_pipe(b, n, t))
        return;
    struct lk_edge_how how = { wait_row(w)->why, w->read, false, t->stable };
    if (w->gate.kind != LK_KIND_NONE)
        lk_add_must_edge(b, n, w->gate,
                         (struct lk_edge_how){ "needs the lock again", w->read, false, t->stable });
    if (w->call && !wait_row(w)->parks && w->kind != LK_WAIT_GIL)
        how.why = lk_arena_printf(b->g->arena, "blocks in %s", w->call);
    add_wait(b, n, w, how);
}

/* True when the loop can come round by itself: its thread is in its own selector. */
static bool loop_idles(const struct lk_edge_build *b, size_t index, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(b->s, o->thread);
    if (o->in_own_selector != LK_TRI_UNKNOWN)
        return o->in_own_selector == LK_YES;
    if (!t || t->wait.kind != LK_WAIT_SELECTOR)
        return false;
    return t->wait.on.n == 0 || lk_refs_has(&t->wait.on, lk_ref_make(LK_KIND_LOOP, index));
}

void lk_make_loop_edges(struct lk_edge_build *b, struct lk_node *n, size_t index,
                        const struct lk_loop *o)
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
            lk_node_set_base(n, LK_LIFE_LIVE);
        else
            lk_add_must_edge(b, n, o->thread,
                             (struct lk_edge_how){ "run by",
                                                   LK_MIN(o->read, t ? t->read : LK_READ_RACY),
                                                   false, t && t->stable });
        if (n->n_must)
            lk_node_set_base(n, LK_LIFE_LIVE);
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

void lk_make_task_edges(struct lk_edge_build *b, struct lk_node *n, const struct lk_task *k)
{
    if (k->state != LK_TASK_PENDING && k->state != LK_TASK_RUNNING) {
        lk_node_set_base(n, LK_LIFE_LIVE);
        return;
    }
    struct lk_edge_how how = { "scheduled on", k->read, false, k->stable };
    const struct lk_loop *o = lk_loop_at(b->s, k->loop);
    if (k->state == LK_TASK_RUNNING && lk_edge_end_exists(b->s, k->run_by)) {
        /* Through the loop where it is that thread's: then the chain says that a loop is part of
         * it. */
        bool own = o && o->run == LK_LOOP_RUNNING && lk_ref_eq(o->thread, k->run_by);
        how.why = "its step runs on";
        lk_add_must_edge(b, n, own ? k->loop : k->run_by, how);
        lk_node_set_base(n, LK_LIFE_LIVE);
        return;
    }
    lk_add_must_edge(b, n, k->loop, how);
    if (!n->n_must && k->kind == LK_TASK_GREENLET) {
        how.why = "can go on only in";
        lk_add_must_edge(b, n, k->thread, how);
    }
    if (k->state == LK_TASK_RUNNING || task_is_ready(k)) {
        lk_node_set_base(n, LK_LIFE_LIVE);
        return;
    }
    if (k->wait.kind == LK_WAIT_NONE) {
        n->open = true; /* suspended, and what it awaits was not found */
        return;
    }
    how.why = "awaits";
    add_wait(b, n, &k->wait, how);
}

/*
 * Edges of what is waited for: futures, locks, executors, what is outside.
 * Facts: asyncio copies a task's result to a concurrent future in a callback of the task's loop
 * (CPython Lib/asyncio/futures.py _chain_future); a pool's item goes to whichever worker comes back
 * first (Lib/concurrent/futures/thread.py _worker).
 */
#include "diagnose/graph/resource_edges.h"

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
        return f->origin == LK_ORIGIN_HANDED_ON ? "its result is handed on by"
                                                : "its work item runs on";
    if ((unsigned)f->origin < LK_N_ORIGINS && words[f->origin])
        return words[f->origin];
    return "completed by";
}

/*
 * The loop that delivers a concurrent future's result when it is pending although its task is done:
 * asyncio/futures.py _chain_future copies the result in a callback of the task, which
 * Task.__schedule_callbacks put into that loop's queue.
 */
static struct lk_ref deliverer(const struct lk_edge_build *b, const struct lk_future *f,
                               struct lk_ref ender)
{
    const struct lk_task *k = f->concurrent ? lk_task_at(b->s, ender) : NULL;
    bool done = k && (k->state == LK_TASK_DONE || k->state == LK_TASK_CANCELLED);
    return done && lk_edge_end_exists(b->s, k->loop) ? k->loop : (struct lk_ref){ LK_KIND_NONE, 0 };
}

/* Edges for the results that are known but not delivered yet; true when there was one (the loop
 * itself may be an ender too). */
static bool add_undelivered(struct lk_edge_build *b, struct lk_node *n, const struct lk_future *f)
{
    size_t before = n->n_edges;
    for (size_t i = 0; i < f->enders.n && n->n_edges == before; i++) {
        struct lk_ref loop = deliverer(b, f, f->enders.v[i]);
        if (loop.kind == LK_KIND_NONE)
            continue;
        const struct lk_task *k = lk_task_at(b->s, f->enders.v[i]);
        lk_add_edge(b, n, loop,
                    (struct lk_edge_how){ "its result is yet to be delivered by",
                                          LK_MIN(f->read, k->read), false,
                                          f->stable && k->stable });
    }
    return n->n_edges > before;
}

void lk_make_future_edges(struct lk_edge_build *b, struct lk_node *n, const struct lk_future *f)
{
    if (f->state == LK_FUTURE_DONE || f->state == LK_FUTURE_CANCELLED) {
        lk_node_set_base(n, LK_LIFE_LIVE);
        return;
    }
    if (f->job_lost) {
        n->dead_end = true;
        n->why_dead = "the worker process that had its job has ended";
        return;
    }
    n->all = f->all;
    n->fails_early = f->fails_early;
    n->soft = f->enders_likely && f->state != LK_FUTURE_STATE_UNKNOWN;
    n->open = !n->soft &&
              (f->state == LK_FUTURE_STATE_UNKNOWN || !f->enders_complete || f->enders.n == 0);
    if (add_undelivered(b, n, f))
        return;
    struct lk_edge_how how = { ender_words(f, f->enders.n ? f->enders.v[0].kind : LK_KIND_NONE),
                               f->read, n->soft, f->stable };
    lk_add_edge_group(b, n, &f->enders, how);
}

/* Enters it by a with statement: that is no way to wait for a signal. */
static bool is_entered(const struct lk_edge_build *b, const struct lk_lock *l)
{
    const struct lk_thread *t = l->waiters.n ? lk_thread_at(b->s, l->waiters.v[0]) : NULL;
    return t && (t->wait.traits & LK_WAIT_BY_WITH);
}

/*
 * What the process holds as a whole, or a lock that records no holder, any of its threads may give
 * back: only when each of them waits for another is it known that none will. Otherwise nothing says
 * whether one of the others is going to. False then.
 */
static bool build_lock_of_process(struct lk_edge_build *b, struct lk_node *n,
                                  const struct lk_lock *l)
{
    /* Locks serve as signals, too: a bare acquire() that parks the only thread, or what a signal
     * handler gives back, is no mutual wait. */
    if (!l->of_process && ((b->s->threads.n < 2 && !is_entered(b, l)) ||
                           lk_handler_may_act(b->s, b->s->own_handlers)))
        return false;
    if (!lk_all_need_others(b))
        return false;
    const char *why = l->of_process ? "held by the process of" : "can be given back only by";
    bool all_wait_for_it = l->waiters.n >= b->s->threads.n;
    for (size_t i = 0; i < b->s->threads.n; i++) {
        const struct lk_thread *t = &b->s->threads.v[i];
        struct lk_ref ref = lk_ref_make(LK_KIND_THREAD, i);
        /* Who waits for it gives it back no sooner than it is given back; that is no holder, unless
         * there is nobody else. */
        if (all_wait_for_it || !lk_refs_has(&l->waiters, ref))
            lk_add_edge(b, n, ref,
                        (struct lk_edge_how){ why, LK_MIN(l->read, t->read), !l->of_process,
                                              l->stable && t->stable });
    }
    return true;
}

/* A queue that holds something lets those go on who get from it, not those who wait for room in it
 * or for its end. */
static bool set_ends_wait(const struct lk_edge_build *b, const struct lk_lock *l)
{
    bool ends = l->set;
    for (size_t i = 0; i < l->waiters.n && l->set; i++) {
        const struct lk_wait *w = lk_wait_of(b->s, l->waiters.v[i]);
        enum lk_wait_kind kind = w ? w->kind : LK_WAIT_NONE;
        if (kind != LK_WAIT_QUEUE_PUT && kind != LK_WAIT_QUEUE_JOIN)
            return true;
        ends = false;
    }
    return ends;
}

void lk_make_lock_edges(struct lk_edge_build *b, struct lk_node *n, const struct lk_lock *l)
{
    if (l->lost_in_fork) {
        n->dead_end = true;
        n->why_dead = "the thread that holds it exists only in the parent process";
        return;
    }
    if (l->owner_gone) {
        n->dead_end = true;
        n->why_dead = "who holds it has ended";
        return;
    }
    if (set_ends_wait(b, l) || l->locked == LK_NO || l->owner_by == LK_OWNER_FREE) {
        lk_node_set_base(n, LK_LIFE_LIVE);
        return;
    }
    n->all = l->owners_all;
    if ((l->of_process || (l->unowned && !l->owners.n)) && build_lock_of_process(b, n, l))
        return;
    bool likely = l->likely_enders.n && l->owners.n == 0;
    n->soft = likely && !l->units_all;
    n->open = !likely && (!l->mutex || l->owners.n == 0);
    if (likely)
        lk_add_edge_group(b, n, &l->likely_enders,
                          (struct lk_edge_how){ l->likely_for, l->read, n->soft, l->stable });
    if (!l->mutex)
        return;
    bool inferred = l->owner_by != LK_OWNER_FIELD && !l->owner_certain;
    lk_add_edge_group(b, n, &l->owners,
                      (struct lk_edge_how){ "held by", l->read, inferred, l->stable });
}

/* An item in the queue is picked up by whichever worker comes back first. */
void lk_make_executor_edges(struct lk_edge_build *b, struct lk_node *n, const struct lk_executor *x)
{
    if (x->lost_in_fork) {
        n->dead_end = true;
        n->why_dead = "its worker threads exist only in the parent process";
        return;
    }
    if (x->workers_gone) {
        n->dead_end = true;
        n->why_dead = "its worker threads have ended";
        return;
    }
    n->open =
        x->max_workers == LK_UNKNOWN || x->workers.n == 0 || (int64_t)x->workers.n < x->max_workers;
    for (size_t i = 0; i < x->workers.n; i++) {
        const struct lk_thread *t = lk_thread_at(b->s, x->workers.v[i]);
        lk_add_edge(b, n, x->workers.v[i],
                    (struct lk_edge_how){ "waits for its worker",
                                          LK_MIN(x->read, t ? t->read : LK_READ_RACY), false,
                                          t && t->stable });
    }
}

void lk_make_extern_edges(struct lk_node *n, const struct lk_extern *e)
{
    static const enum lk_life life[] = {
        [LK_EXT_OUTSIDE] = LK_LIFE_EXTERN,       [LK_EXT_TIMER] = LK_LIFE_TIMED,
        [LK_EXT_CHILD] = LK_LIFE_EXTERN,         [LK_EXT_FILE] = LK_LIFE_EXTERN,
        [LK_EXT_SELF_LISTENER] = LK_LIFE_EXTERN, [LK_EXT_UNKNOWN] = LK_LIFE_OPEN,
    };
    /* A child that computes goes on: no wait for an event. */
    if (e->kind == LK_EXT_CHILD && e->pool && e->child == LK_CHILD_RUNS)
        lk_node_set_base(n, LK_LIFE_LIVE);
    lk_node_set_base(n, (size_t)e->kind < LK_ARRAY_LEN(life) ? life[e->kind] : LK_LIFE_OPEN);
}

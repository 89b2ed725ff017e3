/*
 * A loop to which nothing can come any more. A loop wakes for what is ready, a timer, a descriptor,
 * a signal, or for call_soon_threadsafe() of another thread (CPython Lib/asyncio/base_events.py
 * _run_once); where there is none of these, its tasks wait for one another.
 */
#include "diagnose/rules/dry_loop.h"

#include "diagnose/rules/requests.h"

static bool is_internal(const struct lk_snapshot *s, struct lk_ref r)
{
    const struct lk_lock *l = lk_lock_at(s, r);
    return l ? !l->of_process : r.kind == LK_KIND_TASK || r.kind == LK_KIND_FUTURE;
}

static bool waits_inside(const struct lk_rule_context *c, size_t i)
{
    const struct lk_task *k = &c->snap->tasks.v[i];
    const struct lk_wait *w = &k->wait;
    if (k->kind != LK_TASK_COROUTINE || k->state != LK_TASK_PENDING || k->ready || k->must_cancel ||
        !k->started || !k->stable || !w->on.n || w->timeout_ms != LK_FOREVER ||
        lk_graph_node(c->graph, lk_ref_make(LK_KIND_TASK, i))->life > LK_LIFE_OPEN)
        return false;
    for (size_t n = 0; n < w->on.n; n++)
        if (!is_internal(c->snap, w->on.v[n]))
            return false;
    return true;
}

bool lk_loop_is_dry(const struct lk_rule_context *c, struct lk_ref loop)
{
    const struct lk_snapshot *s = c->snap;
    const struct lk_loop *o = lk_loop_at(s, loop);
    if (!o || o->run != LK_LOOP_RUNNING || o->in_own_selector != LK_YES || o->ready != 0 ||
        o->timers != 0 || o->watched_fds != 0 || o->wakeup_unread > 0 || o->read == LK_READ_RACY ||
        lk_handler_may_act(s, s->handles_signals) || lk_tasks_may_be_missing(c))
        return false;
    for (size_t i = 0; i < s->tasks.n; i++)
        if (lk_ref_eq(s->tasks.v[i].loop, loop) && s->tasks.v[i].state != LK_TASK_DONE &&
            s->tasks.v[i].state != LK_TASK_CANCELLED && !waits_inside(c, i))
            return false;
    return true;
}

/* A task of the loop that waits for something else than tasks; none. */
static struct lk_ref leaf_of(const struct lk_snapshot *s, struct lk_ref loop)
{
    for (size_t i = 0; i < s->tasks.n; i++)
        if (lk_ref_eq(s->tasks.v[i].loop, loop) && s->tasks.v[i].state == LK_TASK_PENDING &&
            s->tasks.v[i].wait.kind != LK_WAIT_FUTURE)
            return lk_ref_make(LK_KIND_TASK, i);
    return lk_ref_make(LK_KIND_NONE, 0);
}

static struct lk_ref first_pending(const struct lk_snapshot *s, const struct lk_refs *on)
{
    for (size_t i = 0; on && i < on->n; i++) {
        const struct lk_task *k = lk_task_at(s, on->v[i]);
        if (!k || k->state == LK_TASK_PENDING)
            return on->v[i];
    }
    return lk_ref_make(LK_KIND_NONE, 0);
}

struct lk_ref lk_dry_wait(const struct lk_rule_context *c, struct lk_ref thread)
{
    enum { MOST = 64 };
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    struct lk_ref at = t->drives, task = { LK_KIND_NONE, 0 };
    if (t->wait.kind != LK_WAIT_SELECTOR || t->wait.on.n != 1 || t->in_request ||
        !lk_is_request_thread(c->snap, t))
        return task;
    for (int i = 0; i < MOST && at.kind != LK_KIND_NONE; i++) {
        const struct lk_task *k = lk_task_at(c->snap, at);
        const struct lk_future *f = lk_future_at(c->snap, at);
        const struct lk_refs *on = k ? &k->wait.on : f ? &f->enders : NULL;
        task = k ? at : task;
        at = first_pending(c->snap, on);
    }
    return task.kind == LK_KIND_TASK ? task : leaf_of(c->snap, t->wait.on.v[0]);
}

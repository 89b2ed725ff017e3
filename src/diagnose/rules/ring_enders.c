/*
 * Who may end a ring from outside. A timer that has a member of the ring at hand may cancel it, and
 * what is registered to be called, a thread or task that does not wait for the ring itself, may
 * too. A wait for all of a group ends when one fails that is no part of the ring. Where the tasks
 * await each other themselves, though, Task.cancel() ends nothing: it passes the cancellation on to
 * what the task awaits before it does anything else (Lib/asyncio/tasks.py Task.cancel, "Leave
 * self._fut_waiter; it may be a Task"), so it runs round the ring until RecursionError, and all of
 * them wait on. That was tried with CPython 3.8 to 3.13, the last with and without the GIL, for
 * Task.cancel, asyncio.timeout and anyio's scopes; for others it is not assumed.
 */
#include "diagnose/rules/ring_enders.h"

#include <stdlib.h>

static bool is_tried_version(const struct lk_python *p)
{
    enum { FIRST = 0x0308, LAST = 0x030d };
    return p->hex >> 16 >= FIRST && p->hex >> 16 <= LAST;
}

/* Each link is a task's await of the next task itself. */
bool lk_ring_is_direct(const struct lk_rule_context *c, const struct lk_wait_cycle *k)
{
    for (size_t i = 0; i < k->chain.n; i++) {
        const struct lk_task *t = lk_task_at(c->snap, k->chain.v[i].from);
        if (!t || !(t->wait.traits & LK_WAIT_DIRECT) || k->chain.v[i].to.kind != LK_KIND_TASK)
            return false;
    }
    return k->chain.n == k->n_cycle && is_tried_version(&c->snap->python);
}

static bool is_member(const struct lk_wait_cycle *k, struct lk_ref r)
{
    for (size_t i = 0; i < k->chain.n; i++)
        if (lk_ref_eq(k->chain.v[i].from, r))
            return true;
    return false;
}

/* Cancelling it from elsewhere has an effect: a task or asyncio's future needs its loop for that,
 * and work that a pool's thread has begun is not cancelled (Lib/concurrent/futures/_base.py
 * Future.cancel). */
static bool may_be_ended(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                         struct lk_ref r)
{
    const struct lk_future *f = lk_future_at(c->snap, r);
    const struct lk_task *t = lk_task_at(c->snap, r);
    if (!is_member(k, r))
        return false;
    if (r.kind == LK_KIND_LOCK || r.kind == LK_KIND_EXECUTOR) /* it may be made larger */
        return true;
    if (f && f->concurrent)
        return f->state != LK_FUTURE_RUNNING;
    const struct lk_node *loop = lk_graph_node(c->graph, t ? t->loop : f ? f->loop : r);
    return !loop || loop->life_untimed != LK_LIFE_DEAD;
}

static bool is_loop_of_member(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                              struct lk_ref loop)
{
    for (size_t i = 0; i < k->chain.n; i++) {
        const struct lk_task *t = lk_task_at(c->snap, k->chain.v[i].from);
        if (t && lk_ref_eq(t->loop, loop))
            return true;
    }
    return false;
}

static void weigh_timer(const struct lk_rule_context *c, struct lk_wait_cycle *k,
                        const struct lk_at_hand *h)
{
    const struct lk_node *loop = lk_graph_node(c->graph, h->by);
    bool any = h->what.kind == LK_KIND_NONE;
    bool cancels = h->hand == LK_HAND_TIMER_CANCELS;
    if ((any ? !is_loop_of_member(c, k, h->by) : !may_be_ended(c, k, h->what)) ||
        (k->direct && cancels) || !loop || loop->life_untimed == LK_LIFE_DEAD)
        return;
    k->timed = true;
    if (h->in_ms == LK_UNKNOWN || h->in_ms >= k->left_ms)
        return;
    k->left_ms = h->in_ms;
    k->timer = cancels ? NULL : h->callback;
}

/* A thread that runs the loop of a member does nothing else before that loop stops. */
static bool runs_loop_of_member(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                                struct lk_ref thread)
{
    for (size_t i = 0; i < k->chain.n; i++) {
        const struct lk_task *t = lk_task_at(c->snap, k->chain.v[i].from);
        const struct lk_loop *o = t ? lk_loop_at(c->snap, t->loop) : NULL;
        if (o && lk_ref_eq(o->thread, thread))
            return true;
    }
    return false;
}

/* It waits for the ring without a timeout. */
static bool is_held(const struct lk_rule_context *c, const struct lk_wait_cycle *k,
                    struct lk_ref party)
{
    return k->held && k->held[c->graph->first[party.kind] + party.index];
}

static void weigh_watcher(const struct lk_rule_context *c, struct lk_wait_cycle *k,
                          const struct lk_at_hand *h)
{
    const struct lk_node *n = lk_graph_node(c->graph, h->by);
    if (!n || is_held(c, k, h->by) ||
        (n->life == LK_LIFE_DEAD && n->life_failing == LK_LIFE_DEAD) ||
        !may_be_ended(c, k, h->what) || is_member(k, h->by) || runs_loop_of_member(c, k, h->by))
        return;
    if (n->life_failing != LK_LIFE_DEAD) {
        if (k->watcher.kind == LK_KIND_NONE)
            k->watcher = h->by;
        return;
    }
    /* It waits for the ring too, until a timeout: then it may cancel what it has waited for. */
    if (k->direct)
        return;
    k->timed = true;
    if (n->timeout_ms < k->left_ms) {
        k->left_ms = n->timeout_ms;
        k->timer = NULL;
    }
}

static void weigh_callback(const struct lk_rule_context *c, struct lk_wait_cycle *k,
                           const struct lk_at_hand *h)
{
    const struct lk_node *n = lk_graph_node(c->graph, h->by);
    if (k->callback || !may_be_ended(c, k, h->what) || is_member(k, h->by) ||
        (k->direct && h->hand == LK_HAND_CALLBACK_CANCELS) ||
        (n && n->life == LK_LIFE_DEAD && n->life_failing == LK_LIFE_DEAD))
        return;
    k->callback = h;
}

/* One of a group that the ring waits for may fail. */
static void weigh_failing(const struct lk_rule_context *c, struct lk_wait_cycle *k)
{
    for (size_t i = 0; i < k->chain.n && k->failing.kind == LK_KIND_NONE; i++) {
        const struct lk_node *n = lk_graph_node(c->graph, k->chain.v[i].from);
        for (size_t e = n->n_must;
             n->fails_early && n->life_failing != LK_LIFE_DEAD && e < n->n_edges; e++)
            if (lk_graph_node(c->graph, n->edges[e].to)->life_failing != LK_LIFE_DEAD)
                k->failing = n->edges[e].to;
    }
}

void lk_weigh_ring_enders(const struct lk_rule_context *c, struct lk_wait_cycle *k)
{
    const struct lk_snapshot *s = c->snap;
    for (size_t i = 0; i < s->at_hand.n; i++) {
        const struct lk_at_hand *h = &s->at_hand.v[i];
        if (h->hand == LK_HAND_FRAME)
            weigh_watcher(c, k, h);
        else if (h->hand == LK_HAND_CALLBACK || h->hand == LK_HAND_CALLBACK_CANCELS)
            weigh_callback(c, k, h);
        else
            weigh_timer(c, k, h);
    }
    weigh_failing(c, k);
    k->enders_unread = s->at_hand_cut;
    for (size_t i = 0; i < s->loops.n; i++) {
        struct lk_ref loop = lk_ref_make(LK_KIND_LOOP, i);
        k->enders_unread |= s->loops.v[i].timers_unread && is_loop_of_member(c, k, loop) &&
                            lk_graph_node(c->graph, loop)->life_untimed != LK_LIFE_DEAD;
    }
}

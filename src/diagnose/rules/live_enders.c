/*
 * Who completes a wait, and is alive though it does not move: a job that sleeps between its polls,
 * consumers of a queue, a server. The graph's levels of life say that less is needed (a timer, any
 * code); here every party that is needed must be known, and one that waits for what any code may
 * bring about is alive only where that is its purpose.
 */
#include "diagnose/rules/live_enders.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/requests.h"

enum { MOST = 256 }; /* parties that are looked at */

enum found { UNDER_WAY, ALIVE, NOT_ALIVE };

struct search {
    struct lk_rule_context *c;
    bool asked; /* somebody asked for it: a request, a test. Nobody may park then */
    struct {
        struct lk_ref ref;
        enum found found;
    } seen[MOST];
    size_t n;
};

/* The thread is a request or test, or one waits for it. */
static bool is_asked_for(struct lk_rule_context *c, struct lk_ref thread)
{
    const struct lk_snapshot *s = c->snap;
    if (lk_is_request_thread(s, &s->threads.v[thread.index]))
        return true;
    lk_graph_held_up(c->graph, thread, c->mark);
    for (size_t i = 0; i < s->threads.n; i++)
        if (c->mark[c->graph->first[LK_KIND_THREAD] + i] &&
            lk_is_request_thread(s, &s->threads.v[i]))
            return true;
    for (size_t i = 0; i < s->tasks.n; i++)
        if (c->mark[c->graph->first[LK_KIND_TASK] + i] &&
            (s->tasks.v[i].http || lk_request_frame(s->tasks.v[i].stack)))
            return true;
    return false;
}

static bool is_timed(const struct lk_wait *w)
{
    return w->kind == LK_WAIT_SLEEP || (w->timeout_ms != LK_FOREVER && w->timeout_ms != LK_UNKNOWN);
}

/* Something may come to the loop: clients, timers, signals. */
static bool loop_serves(const struct lk_snapshot *s, const struct lk_loop *o)
{
    return o && ((o->watched_fds != LK_UNKNOWN && o->watched_fds > 0) ||
                 (o->timers != LK_UNKNOWN && o->timers > 0) || s->handles_signals == LK_YES);
}

/* A wait that is meant to last: for the next item, for clients, for the end of the service. */
static bool is_parked(const struct search *x, const struct lk_wait *w, const struct lk_pystack *st,
                      const struct lk_loop *o)
{
    if (x->asked)
        return false;
    if (w->kind == LK_WAIT_QUEUE_GET || w->kind == LK_WAIT_CONDITION || w->kind == LK_WAIT_SIGNAL ||
        (w->traits & LK_WAIT_LISTENS) || lk_stack_has(st, LK_MARK_CONSUMER))
        return true;
    return (w->kind == LK_WAIT_EVENT || (w->kind == LK_WAIT_FUTURE && !w->complete)) &&
           loop_serves(x->c->snap, o);
}

static bool future_is_parked(const struct search *x, const struct lk_future *f)
{
    const struct lk_loop *o = lk_loop_at(x->c->snap, f->loop);
    return !x->asked && !f->concurrent && f->enders.n == 0 && loop_serves(x->c->snap, o);
}

/* Needs no party of the group to go on. */
static bool lives_alone(const struct search *x, const struct lk_node *n)
{
    const struct lk_snapshot *s = x->c->snap;
    const struct lk_thread *t = lk_thread_at(s, n->ref);
    const struct lk_task *k = lk_task_at(s, n->ref);
    const struct lk_future *f = lk_future_at(s, n->ref);
    const struct lk_extern *e = lk_extern_at(s, n->ref);
    if (t)
        return is_timed(&t->wait) || is_parked(x, &t->wait, t->python_stack, NULL) ||
               (t->wait.kind == LK_WAIT_IO && n->n_edges == n->n_must);
    if (k)
        return is_timed(&k->wait) || is_parked(x, &k->wait, k->stack, lk_loop_at(s, k->loop)) ||
               n->base == LK_LIFE_LIVE;
    if (f)
        return future_is_parked(x, f);
    if (e && e->kind == LK_EXT_CHILD)
        return e->child >= LK_CHILD_WAITS;
    return (e && e->kind != LK_EXT_UNKNOWN) || n->base == LK_LIFE_LIVE;
}

static bool lives(struct search *x, struct lk_ref ref);

static bool parties_live(struct search *x, const struct lk_node *n)
{
    size_t alive = 0, group = n->n_edges - n->n_must;
    for (size_t i = 0; i < n->n_must; i++)
        if (!lives(x, n->edges[i].to))
            return false;
    if (lives_alone(x, n))
        return true;
    for (size_t i = n->n_must; i < n->n_edges; i++)
        alive += lives(x, n->edges[i].to);
    return group && (n->all ? alive == group : alive > 0);
}

static bool lives(struct search *x, struct lk_ref ref)
{
    const struct lk_node *n = lk_graph_node(x->c->graph, ref);
    if (!n || n->dead_end)
        return false;
    if (n->life == LK_LIFE_LIVE)
        return true;
    for (size_t i = 0; i < x->n; i++)
        if (lk_ref_eq(x->seen[i].ref, ref))
            return x->seen[i].found == ALIVE; /* one under way waits for itself */
    if (x->n == MOST)
        return false;
    size_t at = x->n++;
    x->seen[at].ref = ref;
    x->seen[at].found = UNDER_WAY;
    bool alive = parties_live(x, n);
    x->seen[at].found = alive ? ALIVE : NOT_ALIVE;
    return alive;
}

static bool group_lives(struct lk_rule_context *c, struct lk_ref thread, bool asked)
{
    const struct lk_node *n = lk_graph_node(c->graph, thread);
    struct search x = { .c = c, .asked = asked, .n = 1 };
    x.seen[0].ref = thread;
    size_t alive = 0, group = n->n_edges - n->n_must;
    for (size_t i = n->n_must; i < n->n_edges; i++)
        alive += lives(&x, n->edges[i].to);
    return group && (n->all ? alive == group : alive > 0);
}

bool lk_enders_are_alive(struct lk_rule_context *c, struct lk_ref thread)
{
    return group_lives(c, thread, is_asked_for(c, thread));
}

bool lk_enders_act(struct lk_rule_context *c, struct lk_ref thread)
{
    return group_lives(c, thread, true);
}

static bool moves(const struct lk_rule_context *c, struct lk_ref who)
{
    const struct lk_thread *t = lk_thread_at(c->snap, who);
    const struct lk_task *k = lk_task_at(c->snap, who);
    if (t)
        return t->running || !t->stable || is_timed(&t->wait);
    return k && (k->state == LK_TASK_RUNNING || k->ready || !k->stable || is_timed(&k->wait));
}

bool lk_future_is_in_living_hands(const struct lk_rule_context *c, const struct lk_future *f)
{
    for (size_t i = 0; i < f->at_hand.n; i++)
        if (moves(c, f->at_hand.v[i]))
            return true;
    return false;
}

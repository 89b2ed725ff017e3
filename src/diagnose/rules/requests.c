/*
 * Who serves a request. Entries are frames that the catalog names (LK_MARK_REQUEST, LK_MARK_JOB);
 * pytest says by PYTEST_CURRENT_TEST that its main thread runs a test. A worker thread has no entry
 * on its stack where a coroutine handed the work to it (anyio.to_thread, run_in_executor): only the
 * edges of the graph say whom it works for.
 */
#include "diagnose/rules/requests.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/graph/graph.h"

bool lk_is_request_thread(const struct lk_snapshot *s, const struct lk_thread *t)
{
    return t->in_request || lk_stack_has(t->python_stack, LK_MARK_JOB) ||
           (s->test_env_own && t->main);
}

bool lk_has_request_entry(const struct lk_task *k)
{
    return k->state == LK_TASK_PENDING &&
           (k->http || lk_request_frame(k->stack) || lk_stack_has(k->stack, LK_MARK_JOB));
}

/*
 * Whether what a task awaits is the same request further in: its step on a thread's stack, a work
 * item that serves it (a WSGI application under an ASGI server), or a task that the framework made
 * for it. Futures may stand between: wrap_future, shield, wait.
 */
static bool request_goes_on(const struct lk_snapshot *s, const struct lk_refs *on, int hops)
{
    enum { MOST = 4 };
    for (size_t i = 0; i < on->n && i < MOST; i++) {
        const struct lk_future *f = lk_future_at(s, on->v[i]);
        const struct lk_task *k = lk_task_at(s, on->v[i]);
        const struct lk_thread *t =
            lk_thread_at(s, k && k->state == LK_TASK_RUNNING ? k->run_by : on->v[i]);
        if ((t && t->in_request) || (k && lk_has_request_entry(k)))
            return true;
        if (hops && ((f && request_goes_on(s, &f->enders, hops - 1)) ||
                     (k && request_goes_on(s, &k->wait.on, hops - 1))))
            return true;
    }
    return false;
}

bool lk_is_request_task(const struct lk_snapshot *s, const struct lk_task *k)
{
    enum { FAR_ENOUGH = 4 };
    return lk_has_request_entry(k) && !request_goes_on(s, &k->wait.on, FAR_ENOUGH);
}

bool lk_serves_request(const struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_node *n = lk_graph_node(c->graph, r);
    return n && c->serves[n - c->graph->nodes];
}

/* ---- who works for whom ------------------------------------------------------------------ */

struct lk_ref lk_worker_of(const struct lk_rule_context *c, struct lk_ref holder)
{
    enum { MOST = 4 };
    for (int i = 0; i < MOST && holder.kind != LK_KIND_THREAD; i++) {
        const struct lk_task *k = lk_task_at(c->snap, holder);
        const struct lk_future *f = lk_future_at(c->snap, holder);
        const struct lk_refs *on = k ? &k->wait.on : f ? &f->enders : NULL;
        if (!on || on->n != 1)
            return lk_ref_make(LK_KIND_NONE, 0);
        holder = on->v[0];
    }
    return holder;
}

struct lk_ref lk_task_behind(const struct lk_rule_context *c, struct lk_ref thread)
{
    const struct lk_snapshot *s = c->snap;
    for (size_t i = 0; i < s->tasks.n; i++) {
        const struct lk_task *k = &s->tasks.v[i];
        /* the innermost one of those that wait for each other */
        if (k->state == LK_TASK_PENDING && k->wait.on.n && !lk_task_at(s, k->wait.on.v[0]) &&
            lk_ref_eq(lk_worker_of(c, lk_ref_make(LK_KIND_TASK, i)), thread))
            return lk_ref_make(LK_KIND_TASK, i);
    }
    return lk_ref_make(LK_KIND_NONE, 0);
}

/* ---- queued requests ------------------------------------------------------------------- */

/* The task waits for an item that stands in the pool's queue; futures and tasks may stand between.
 */
static bool is_queued_in(const struct lk_snapshot *s, const struct lk_refs *on, struct lk_ref pool,
                         int hops)
{
    enum { MOST = 4 };
    for (size_t i = 0; i < on->n && i < MOST; i++) {
        const struct lk_future *f = lk_future_at(s, on->v[i]);
        const struct lk_task *k = lk_task_at(s, on->v[i]);
        if (lk_ref_eq(on->v[i], pool))
            return true;
        if (hops && ((f && is_queued_in(s, &f->enders, pool, hops - 1)) ||
                     (k && is_queued_in(s, &k->wait.on, pool, hops - 1))))
            return true;
    }
    return false;
}

static bool is_marked(const struct lk_rule_context *c, struct lk_ref r)
{
    return c->mark[c->graph->first[r.kind] + r.index];
}

/* The jobs are requests. A pool that has the very thread of a request for its worker runs parts of
 * that one request (asgiref's CurrentThreadExecutor). */
static bool is_full_of_requests(const struct lk_rule_context *c, struct lk_ref pool,
                                const struct lk_executor *x)
{
    bool full = x->queued != LK_UNKNOWN && x->queued > 0 && x->workers.n &&
                (x->max_workers == LK_UNKNOWN || (int64_t)x->workers.n >= x->max_workers);
    for (size_t i = 0; full && i < x->workers.n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, x->workers.v[i]);
        full = t && lk_ref_eq(t->works_for, pool) && is_marked(c, x->workers.v[i]) &&
               lk_is_request_thread(c->snap, t);
    }
    return full;
}

int64_t lk_queued_requests(const struct lk_rule_context *c, struct lk_ref pool)
{
    enum { FAR_ENOUGH = 4 };
    const struct lk_executor *x = lk_executor_at(c->snap, pool);
    int64_t with_task = 0;
    if (!x || !is_full_of_requests(c, pool, x))
        return 0;
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        const struct lk_task *k = &c->snap->tasks.v[i];
        with_task += is_marked(c, lk_ref_make(LK_KIND_TASK, i)) && lk_is_request_task(c->snap, k) &&
                     is_queued_in(c->snap, &k->wait.on, pool, FAR_ENOUGH);
    }
    return LK_MAX(x->queued - with_task, 0);
}

/* ---- what requests wait for ------------------------------------------------------------- */

static void serve(struct lk_rule_context *c, struct lk_ref r, uint32_t *queue, size_t *n)
{
    const struct lk_node *node = lk_graph_node(c->graph, r);
    size_t at = node ? (size_t)(node - c->graph->nodes) : 0;
    if (!node || r.kind == LK_KIND_LOOP || c->serves[at])
        return;
    c->serves[at] = true;
    queue[(*n)++] = (uint32_t)at;
}

void lk_follow_requests(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    uint32_t *queue = lk_arena_array(c->out->arena, c->graph->n_nodes, sizeof *queue);
    size_t n = 0;
    for (size_t i = 0; i < s->threads.n; i++)
        if (lk_is_request_thread(s, &s->threads.v[i]))
            serve(c, lk_ref_make(LK_KIND_THREAD, i), queue, &n);
    for (size_t i = 0; i < s->tasks.n; i++)
        if (lk_has_request_entry(&s->tasks.v[i]))
            serve(c, lk_ref_make(LK_KIND_TASK, i), queue, &n);
    for (size_t i = 0; i < n; i++) {
        const struct lk_node *at = &c->graph->nodes[queue[i]];
        for (size_t e = 0; e < at->n_edges; e++)
            serve(c, at->edges[e].to, queue, &n);
    }
}

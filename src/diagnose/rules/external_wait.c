/*
 * LK406: a request (a thread or a task), or a caller's wait for a result, that is held up by
 * something outside of the process, with no timeout in its chain. Waiting for a client, for the
 * next message or for input is what servers do, and none of it.
 */
#include "diagnose/rules/finders.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/external_chain.h"
#include "diagnose/rules/external_words.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/requests.h"

static bool rule_out(struct lk_rule_context *c, struct lk_ref thread, const char *why)
{
    if (lk_is_stalled(c, lk_thread_at(c->snap, thread)))
        lk_rule_out(c, LK_RULE_LK406, &thread, 1, why);
    return false;
}

/* A request, or a caller that waits for a result, held up from outside. */
static bool is_external_thread(struct lk_rule_context *c, size_t i, struct lk_external_chain *x)
{
    const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
    const struct lk_thread *t = &c->snap->threads.v[i];
    const bool request = lk_is_request_thread(c->snap, t);
    if (!request && t->wait.kind != LK_WAIT_FUTURE)
        return false;
    if (!lk_external_chain_find(c, thread, x))
        return false;
    if (x->timed)
        return rule_out(c, thread, "there is a timeout on the way to what it waits for outside");
    /* A script that has set its children to work waits for them as long as it takes. */
    if (!request && lk_external_at_child(c->snap, x))
        return false;
    const struct lk_thread *last = lk_thread_at(c->snap, x->last);
    /* A pipe of its own that a thread idles at is somebody's wait when that one waits for the
     * thread. */
    bool own_pipe = last && !lk_ref_eq(x->last, thread) && last->os.on == LK_OS_PIPE &&
                    lk_external_to_itself(last);
    return !lk_external_is_idle(c, x, own_pipe) ||
           rule_out(c, thread, "it waits for a client, the next message or input, as servers do");
}

/*
 * A request that is a task. It must need what is outside: of several things any of which would do
 * (asyncio.wait), or where other code may end the wait too, it is not held up. One that streams its
 * response waits for the next message.
 */
static bool is_external_task(const struct lk_rule_context *c, size_t i, struct lk_external_chain *x)
{
    const struct lk_task *k = &c->snap->tasks.v[i];
    struct lk_ref task = lk_ref_make(LK_KIND_TASK, i);
    if (k->ready || !lk_is_request_task(c->snap, k) || lk_stack_has(k->stack, LK_MARK_CONSUMER) ||
        !lk_external_chain_find(c, task, x) || x->timed || lk_external_is_idle(c, x, false))
        return false;
    const bool itself = lk_ref_eq(x->last, task);
    if (itself && x->n <= 1)
        return k->wait.on.n <= 1 || !k->wait.any;
    lk_graph_held_up(c->graph, itself ? x->end : x->last, c->mark);
    return c->mark[c->graph->first[LK_KIND_TASK] + i];
}

struct waits {
    struct lk_long_wait *v;
    size_t n;
};

static void add_wait(const struct lk_rule_context *c, struct waits *w, struct lk_ref who,
                     const struct lk_external_chain *x, struct lk_ref at)
{
    w->v[w->n++] =
        (struct lk_long_wait){ .who = who,
                               .last = x->last,
                               .end = lk_external_name(c, x),
                               .place = lk_culprit_frame(lk_stack_of(c->snap, at), NULL) };
}

/* One that polls comes back to its place after each answer too: it must be the same call, or the
 * connection must have been quiet for as long. */
static bool is_quiet(const struct lk_rule_context *c, const struct lk_thread *t,
                     const struct lk_external_chain *x)
{
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    if (!(t->wait.traits & LK_WAIT_POLLS))
        return true;
    return e && e->quiet_ms != LK_UNKNOWN
               ? e->quiet_ms >= c->snap->stalled_after_ms
               : t->wait.call_id != 0 || (t->wait.traits & LK_WAIT_FOR_JOB) != 0;
}

/* Stalled; else more watching is asked for, where that may show it. Who waits for the outside must
 * have waited as long as who waits for it: it may do one short thing after the other. */
static bool both_stalled(struct lk_rule_context *c, struct lk_ref thread,
                         const struct lk_external_chain *x)
{
    const struct lk_ref parties[] = { thread, x->last };
    const struct lk_task *task = lk_task_at(c->snap, x->last);
    bool all = !task || lk_task_is_stalled(c, task);
    if (!all && lk_task_may_stall(c, task))
        c->out->look_again.at_end = true;
    for (size_t i = 0; i < LK_ARRAY_LEN(parties); i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, parties[i]);
        if (!t || (lk_is_stalled(c, t) && is_quiet(c, t, x)))
            continue;
        all = false;
        if (lk_may_stall(c, t))
            lk_watch(c, parties[i]);
    }
    return all;
}

static void find_threads(struct lk_rule_context *c, struct waits *w, struct lk_external_chain *x)
{
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
        if (c->explained[i] || t->running || (!lk_is_stalled(c, t) && !lk_may_stall(c, t)) ||
            !is_external_thread(c, i, x))
            continue;
        if (both_stalled(c, thread, x))
            add_wait(c, w, thread, x, thread);
    }
}

static void find_tasks(struct lk_rule_context *c, struct waits *w, struct lk_external_chain *x)
{
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        if (c->explained_tasks[i] || !is_external_task(c, i, x))
            continue;
        const struct lk_thread *t = lk_thread_at(c->snap, x->last);
        const struct lk_task *k = lk_task_at(c->snap, x->last);
        if (t ? c->explained[x->last.index] || t->running : c->explained_tasks[x->last.index])
            continue;
        if (t ? lk_is_stalled(c, t) : lk_task_is_stalled(c, k))
            add_wait(c, w, lk_ref_make(LK_KIND_TASK, i), x, x->last);
        else if (t && lk_may_stall(c, t))
            lk_watch(c, x->last);
        else if (k && lk_task_may_stall(c, k))
            c->out->look_again.at_end = true;
    }
}

void lk_find_external_wait(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    struct lk_external_chain *x = lk_arena_alloc(c->out->arena, sizeof *x);
    struct waits w = { .v = lk_arena_array(c->out->arena, s->threads.n + s->tasks.n, sizeof *w.v) };
    find_threads(c, &w, x);
    find_tasks(c, &w, x);
    for (size_t i = 0; i < w.n; i++) {
        struct lk_wait_group g;
        if (w.v[i].told)
            continue;
        lk_wait_group_collect(c, w.v, w.n, i, &g);
        if (!g.n || !lk_external_chain_find(c, g.who[0], x))
            continue;
        x->only_alike = lk_trust_what_stays(c, x->e, x->n);
        lk_external_tell(c, &g, x);
    }
}

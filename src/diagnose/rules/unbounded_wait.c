/*
 * LK405: user code has waited long for a future without a timeout, and nobody is known to complete
 * it soon; or a request for something that any code may end, and nobody was found who could. A live
 * ender, a consumer, a long poll and a framework's own bridge are none.
 */
#include "diagnose/rules/finders.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/live_enders.h"
#include "diagnose/rules/long_waits.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"

static bool has_lost_wakeup(const struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->out->list.n; i++)
        if (c->out->list.v[i].rule == &c->rules[LK_RULE_LK203])
            return true;
    return false;
}

/* A callback that a lost wakeup keeps back may well be what sets a future whose setter is not
 * known. */
static bool explained_by_wakeup(const struct lk_rule_context *c, const struct lk_thread *t)
{
    for (size_t i = 0; i < t->wait.on.n; i++) {
        const struct lk_future *f = lk_future_at(c->snap, t->wait.on.v[i]);
        if (!f || f->enders.n)
            return false;
    }
    return has_lost_wakeup(c);
}

/* A task of the chain has gone on since the first sample, so what completes the future is at work.
 */
static bool is_worked_on(const struct lk_rule_context *c, struct lk_ref thread)
{
    enum { MOST = 64 }; /* parties of the chain looked at */
    struct lk_ref todo[MOST] = { thread };
    size_t n = 1;
    for (size_t i = 0; i < n; i++) {
        const struct lk_node *at = lk_graph_node(c->graph, todo[i]);
        const struct lk_task *k = lk_task_at(c->snap, todo[i]);
        if (k && !k->stable)
            return true;
        for (size_t e = 0; e < at->n_edges; e++) {
            struct lk_ref to = at->edges[e].to;
            bool known = to.kind == LK_KIND_LOOP || n == MOST;
            for (size_t j = 0; j < n && !known; j++)
                known = lk_ref_eq(todo[j], to);
            if (!known)
                todo[n++] = to;
        }
    }
    return false;
}

static bool is_child_end(const struct lk_graph *g, const struct lk_node *n, void *arg)
{
    (void)arg;
    const struct lk_extern *e = lk_extern_at(g->snap, n->ref);
    return e && e->kind == LK_EXT_CHILD;
}

static bool waits_for_child(const struct lk_rule_context *c, struct lk_ref thread)
{
    struct lk_edge path[LK_MAX_CHAIN];
    return lk_graph_path(c->graph, thread, is_child_end, NULL, path, LK_MAX_CHAIN) > 0;
}

static bool is_unbounded(struct lk_rule_context *c, struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    const struct lk_node *n = lk_graph_node(c->graph, thread);
    const struct lk_pyframe *p = lk_wait_caller(t);
    bool soon =
        n->life == LK_LIFE_LIVE || (n->life == LK_LIFE_EXTERN && !waits_for_child(c, thread));
    return t->wait.kind == LK_WAIT_FUTURE && t->wait.timeout_ms == LK_FOREVER && !soon &&
           n->life != LK_LIFE_DEAD && p && p->code->cls == LK_CODE_USER &&
           !lk_stack_has(t->python_stack, LK_MARK_CONSUMER) && !explained_by_wakeup(c, t) &&
           !is_worked_on(c, thread) && !lk_enders_are_alive(c, thread);
}

/* ---- what any code may end ------------------------------------------------------------ */

static const struct lk_lock *lock_of(const struct lk_rule_context *c, const struct lk_thread *t)
{
    return t->wait.on.n == 1 ? lk_lock_at(c->snap, t->wait.on.v[0]) : NULL;
}

/* A library's own waits are its own matter, but for what its caller borrows. */
static bool is_programs_own(const struct lk_pyframe *p)
{
    return p->code->cls == LK_CODE_USER && !p->code->site;
}

/* The wait of a request for an event, a semaphore, room in a queue or something lent, which nobody
 * was found to end. The next item of a queue, or a change of a condition, is a long poll's. */
static bool is_unended(struct lk_rule_context *c, struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    const struct lk_lock *l = lock_of(c, t);
    const struct lk_pyframe *p = lk_wait_caller(t);
    if (!l || !l->nobody_found || !p || t->wait.timeout_ms != LK_FOREVER ||
        lk_graph_node(c->graph, thread)->life > LK_LIFE_OPEN || !lk_serves_request(c, thread) ||
        lk_stack_has(t->python_stack, LK_MARK_CONSUMER | LK_MARK_BRIDGE))
        return false;
    switch (t->wait.kind) {
    case LK_WAIT_EVENT:
    case LK_WAIT_BARRIER:
    case LK_WAIT_SEMAPHORE:
    case LK_WAIT_QUEUE_PUT:
    case LK_WAIT_QUEUE_JOIN: return is_programs_own(p);
    case LK_WAIT_QUEUE_GET: return l->lent;
    default: return false;
    }
}

static const char *ends_it(const struct lk_thread *t)
{
    switch (t->wait.kind) {
    case LK_WAIT_EVENT: return "set it";
    case LK_WAIT_BARRIER: return "come to it too";
    case LK_WAIT_SEMAPHORE: return "release it";
    case LK_WAIT_QUEUE_PUT: return "take something from it";
    case LK_WAIT_QUEUE_JOIN: return "report its items done";
    default: return "put back what it lends";
    }
}

/* ---- the finding ---------------------------------------------------------------------- */

/* What is known of those who may complete a future that is waited for. */
static const char *say_enders(const struct lk_rule_context *c, struct lk_ref awaited)
{
    const struct lk_future *f = lk_future_at(c->snap, awaited);
    if (f && !f->enders.n)
        return "nothing was found that will complete it: any code may";
    return f && !f->enders_complete ? "who may complete it is not all known"
                                    : "what completes it waits itself";
}

static const char lock_remedy[] =
    "Give the wait a timeout, and handle its end. See to it that whoever is to end it does so "
    "whatever happens: set() and task_done() in a finally, a semaphore or a connection by `with`, "
    "each response read or closed.";

static void tell_unbounded(struct lk_rule_context *c, const struct lk_wait_group *g)
{
    const struct lk_thread *t = lk_thread_at(c->snap, g->who[0]);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK405);
    lk_wait_group_add(c, &f, g);
    lk_finding_since(c, &f, t);
    f.summary =
        lk_print(c, "%s %s waited for %s in %s at %s, without a timeout", lk_wait_group_who(c, g),
                 g->n == 1 ? "has" : "have", lk_duration(c, lk_stuck(c, t)), lk_blocks_in(c, t),
                 lk_place(c, &f.culprits.v[0]));
    const struct lk_lock *l = lock_of(c, t);
    if (l) {
        lk_finding_part(c, &f, t->wait.on.v[0], false);
        lk_finding_say(
            c, &f,
            "it waits for %s, and nobody was found who would %s: no other thread or task "
            "has it at hand, nor has a timer, a signal handler or a function of the program "
            "that is called; code that was not found may all the same",
            lk_name(c, t->wait.on.v[0]), ends_it(t));
        f.remedy = lock_remedy;
        lk_finding_doubt(&f, LK_PROBABLE);
    }
    for (size_t k = 0; !l && k < t->wait.on.n && k < 8; k++)
        lk_finding_say(c, &f, "it waits for %s, which is not done; %s", lk_name(c, t->wait.on.v[k]),
                       say_enders(c, t->wait.on.v[k]));
    lk_finding_doubt_absence(c, &f, LK_PROBABLE);
    f.safe_now =
        l ? lk_print(c,
                     "Nothing from outside frees it; code of the process can, if it would %s. Or "
                     "else %s",
                     ends_it(t), lk_end_process_words(c))
          : lk_print(c,
                     "Nothing from outside frees it; code of the process can, by set_result() "
                     "or cancel() of the future. Or "
                     "else %s",
                     lk_end_process_words(c));
    lk_finding_held_by(c, &f, g->who, g->n);
    lk_finding_file(c, &f);
    lk_wait_group_explain(c, g);
}

void lk_find_unbounded_future_wait(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    struct lk_long_wait *w = lk_arena_array(c->out->arena, s->threads.n, sizeof *w);
    size_t n = 0;
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        bool old = lk_is_stalled(c, t);
        if (c->explained[i] || t->running || (!old && !lk_may_stall(c, t)) ||
            (!is_unbounded(c, lk_ref_make(LK_KIND_THREAD, i)) &&
             !is_unended(c, lk_ref_make(LK_KIND_THREAD, i))))
            continue;
        if (old)
            w[n++] = (struct lk_long_wait){ .who = lk_ref_make(LK_KIND_THREAD, i),
                                            .last = lk_ref_make(LK_KIND_THREAD, i),
                                            .end = NULL,
                                            .place = lk_culprit_frame(t->python_stack, NULL) };
        else
            lk_watch(c, lk_ref_make(LK_KIND_THREAD, i));
    }
    for (size_t i = 0; i < n; i++) {
        struct lk_wait_group g;
        if (w[i].told)
            continue;
        lk_wait_group_collect(c, w, n, i, &g);
        if (g.n)
            tell_unbounded(c, &g);
    }
}

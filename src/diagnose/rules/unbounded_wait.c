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
#include "util/text.h"

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

/* Of several all are needed: one that nobody is at work on is enough. */
static bool is_in_living_hands(const struct lk_rule_context *c, const struct lk_wait *w)
{
    size_t living = 0;
    for (size_t i = 0; i < w->on.n; i++) {
        const struct lk_future *f = lk_future_at(c->snap, w->on.v[i]);
        living += f && !f->enders.n && lk_future_is_in_living_hands(c, f);
    }
    return living && (w->any || living == w->on.n);
}

/* What speaks for an end of the thread's wait for a future; NULL: nothing. */
static const char *why_it_ends(struct lk_rule_context *c, struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    const struct lk_node *n = lk_graph_node(c->graph, thread);
    if (n->life == LK_LIFE_LIVE)
        return "what completes the future is at work, or can be at any moment";
    if (n->life == LK_LIFE_EXTERN && !waits_for_child(c, thread))
        return "what completes the future waits for something outside of the process";
    if (lk_stack_has(t->python_stack, LK_MARK_CONSUMER))
        return "its code takes whatever comes next: a consumer waits as long as it takes";
    if (explained_by_wakeup(c, t))
        return "a wakeup that was lost explains it (LK203)";
    if (is_worked_on(c, thread))
        return "a task that it waits for has gone on while it was watched";
    if (lk_enders_are_alive(c, thread))
        return "whoever completes the future is alive: it sleeps between its looks, serves, or "
               "waits for the next item";
    if (is_in_living_hands(c, &t->wait))
        return "who has the future at hand moves, or sleeps for a while";
    return NULL;
}

static bool is_unbounded(struct lk_rule_context *c, struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    const struct lk_node *n = lk_graph_node(c->graph, thread);
    const struct lk_pyframe *p = lk_wait_caller(t);
    if (t->wait.kind != LK_WAIT_FUTURE || t->wait.timeout_ms != LK_FOREVER ||
        n->life == LK_LIFE_DEAD || !p || p->code->cls != LK_CODE_USER)
        return false;
    const char *ends = why_it_ends(c, thread);
    if (ends && lk_is_stalled(c, t))
        lk_rule_out(c, LK_RULE_LK405, &thread, 1, ends);
    return !ends;
}

/* ---- what any code may end ------------------------------------------------------------ */

static const struct lk_lock *lock_of(const struct lk_rule_context *c, const struct lk_wait *w)
{
    return w->on.n == 1 ? lk_lock_at(c->snap, w->on.v[0]) : NULL;
}

/* A library's own waits are its own matter, but for what its caller borrows. */
static bool is_programs_own(const struct lk_pyframe *p)
{
    return p->code->cls == LK_CODE_USER && !p->code->site;
}

/* Of what it awaits, the future that nobody is known to complete; futures that hand on another
 * one's end may stand between. NULL. */
static const struct lk_future *bare_future(const struct lk_rule_context *c, const struct lk_wait *w)
{
    enum { MOST = 4 };
    const struct lk_refs *on = w->kind == LK_WAIT_FUTURE ? &w->on : NULL;
    for (unsigned i = 0; i < MOST && on && on->n == 1; i++) {
        const struct lk_future *f = lk_future_at(c->snap, on->v[0]);
        if (f && !f->enders.n)
            return f;
        on = f && f->enders_complete ? &f->enders : NULL;
    }
    return NULL;
}

/* Another request like that of the waiter may come, and take part. In a test that calls the
 * application itself, or for a job of a queue, no client need connect. */
static bool next_may_come(const struct lk_rule_context *c, struct lk_ref waiter)
{
    const struct lk_snapshot *s = c->snap;
    return s->listens != LK_NO || s->test_env_own || s->unit_test.name ||
           lk_stack_has(lk_stack_of(s, waiter), LK_MARK_JOB);
}

/* Of these waits an end is expected; the next item of a queue, or a change of a thread's condition,
 * is a long poll's. */
static bool expects_an_end(const struct lk_rule_context *c, struct lk_ref waiter,
                           const struct lk_pyframe *caller)
{
    const struct lk_wait *w = lk_wait_of(c->snap, waiter);
    const struct lk_lock *l = lock_of(c, w);
    const struct lk_future *f = bare_future(c, w);
    if (!caller || w->timeout_ms != LK_FOREVER)
        return false;
    if (f)
        return f->unended && is_programs_own(caller);
    if (!l || l->unended != w->kind || (l->next_may_end && next_may_come(c, waiter)))
        return false;
    switch (w->kind) {
    case LK_WAIT_EVENT:
    case LK_WAIT_CONDITION:
    case LK_WAIT_BARRIER:
    case LK_WAIT_SEMAPHORE:
    case LK_WAIT_QUEUE_PUT:
    case LK_WAIT_QUEUE_JOIN: return is_programs_own(caller);
    case LK_WAIT_QUEUE_GET: return l->lent || (l->kept_by_waiters && is_programs_own(caller));
    default: return false;
    }
}

/* A request waits long for what any code may end, and somebody was found who would. */
static void rule_out_ended(struct lk_rule_context *c, struct lk_ref waiter, bool stalled)
{
    const struct lk_wait *w = lk_wait_of(c->snap, waiter);
    const struct lk_lock *l = lock_of(c, w);
    if (stalled && l && !l->mutex && w->timeout_ms == LK_FOREVER && l->unended != w->kind &&
        w->kind != LK_WAIT_QUEUE_GET && lk_serves_request(c, waiter))
        lk_rule_out(c, LK_RULE_LK405, &waiter, 1,
                    "somebody was found who can end it: another thread or task, a timer or a "
                    "callback has at hand what it waits for");
}

/* The wait of a request for an event, a semaphore, room in a queue or something lent, which nobody
 * was found to end. */
static bool is_unended(struct lk_rule_context *c, struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    return expects_an_end(c, thread, lk_wait_caller(t)) &&
           lk_graph_node(c->graph, thread)->life <= LK_LIFE_OPEN && lk_serves_request(c, thread) &&
           !lk_stack_has(t->python_stack, LK_MARK_CONSUMER | LK_MARK_BRIDGE);
}

/* The same of a task that serves a request, or that one waits for. */
static bool is_unended_task(struct lk_rule_context *c, struct lk_ref task)
{
    const struct lk_task *k = lk_task_at(c->snap, task);
    const size_t from = k->wait.frame > 0 ? (size_t)k->wait.frame : 0;
    return k->state == LK_TASK_PENDING && !k->ready && lk_serves_request(c, task) &&
           expects_an_end(c, task, lk_caller_frame(k->stack, from, NULL)) &&
           lk_graph_node(c->graph, task)->life <= LK_LIFE_OPEN &&
           !lk_stack_has(k->stack, LK_MARK_CONSUMER | LK_MARK_BRIDGE);
}

static const char *ends_it(const struct lk_wait *w, bool lent)
{
    switch (w->kind) {
    case LK_WAIT_EVENT: return "set it";
    case LK_WAIT_CONDITION: return "notify it";
    case LK_WAIT_BARRIER: return "come to it too";
    case LK_WAIT_SEMAPHORE: return "release it";
    case LK_WAIT_QUEUE_PUT: return "take something from it";
    case LK_WAIT_QUEUE_JOIN: return "report its items done";
    case LK_WAIT_FUTURE: return "complete it";
    default: return lent ? "put back what it lends" : "put something into it";
    }
}

/* ---- the finding ---------------------------------------------------------------------- */

/* What is known of those who may complete a future that is waited for. */
static const char *say_enders(struct lk_rule_context *c, struct lk_ref awaited)
{
    const struct lk_future *f = lk_future_at(c->snap, awaited);
    if (f && !f->enders.n && f->at_hand.n) {
        const struct lk_culprit at = lk_culprit_of(c, f->at_hand.v[0]);
        return lk_print(c, "%s has it at hand, and waits itself at %s", lk_name(c, f->at_hand.v[0]),
                        lk_place(c, &at));
    }
    if (f && !f->enders.n)
        return "nothing was found that will complete it: any code may";
    return f && !f->enders_complete ? "who may complete it is not all known"
                                    : "what completes it waits itself";
}

/* From the waiting thread along futures, tasks and threads, as long as each waits for one. */
static size_t follow(const struct lk_rule_context *c, struct lk_ref thread, struct lk_edge *path)
{
    size_t n = 0;
    struct lk_ref at = thread;
    while (n < LK_MAX_CHAIN) {
        const struct lk_node *node = lk_graph_node(c->graph, at);
        size_t found = 0, k = 0;
        for (size_t e = 0; node && e < node->n_edges; e++)
            if (node->edges[e].to.kind != LK_KIND_LOOP) {
                k = e;
                found++;
            }
        bool again = false;
        for (size_t i = 0; found == 1 && i < n; i++)
            again |= lk_ref_eq(path[i].from, node->edges[k].to);
        if (found != 1 || again)
            break;
        path[n] = node->edges[k];
        at = path[n++].to;
    }
    return n;
}

static const char lock_remedy[] =
    "Give the wait a timeout, and handle its end. See to it that whoever is to end it does so "
    "whatever happens: set() and task_done() in a finally, a semaphore or a connection by `with`, "
    "each response read or closed.";

static void say_nobody(struct lk_rule_context *c, struct lk_finding *f, const struct lk_wait *w,
                       bool kept)
{
    const struct lk_lock *l = lock_of(c, w);
    const char *name = lk_name(c, w->on.v[0]), *ends = ends_it(w, l && l->lent);
    if (kept)
        lk_finding_say(c, f,
                       "it waits for %s, and nobody else can %s: all references to it were found "
                       "with who waits for it",
                       name, ends);
    else
        lk_finding_say(
            c, f,
            "it waits for %s, and nobody was found who would %s: no other thread or task "
            "has it at hand, nor has a timer, a signal handler or a function of the program "
            "that is called; code that was not found may all the same",
            name, ends);
    if (l && l->next_may_end)
        lk_finding_say(c, f,
                       "another request could; but no socket of the process listens any more, so "
                       "that none comes");
}

static void tell_unbounded(struct lk_rule_context *c, const struct lk_wait_group *g)
{
    const struct lk_thread *t = lk_thread_at(c->snap, g->who[0]);
    const struct lk_task *k = lk_task_at(c->snap, g->who[0]);
    const struct lk_wait *w = lk_wait_of(c->snap, g->who[0]);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK405);
    struct lk_edge path[LK_MAX_CHAIN];
    const size_t n = follow(c, g->who[0], path);
    lk_finding_blame_chain(c, &f, g->who[0], path, n, true);
    lk_wait_group_add(c, &f, g);
    if (t) {
        lk_finding_since(c, &f, t);
    } else {
        lk_finding_since_task(c, &f, k);
        lk_finding_part(c, &f, g->who[0], true);
    }
    const struct lk_culprit own = lk_culprit_of(c, g->who[0]);
    const char *on = t && f.culprits.v[0].task ? lk_print(c, ", on what waits itself at %s",
                                                          lk_place(c, &f.culprits.v[0]))
                                               : "";
    f.summary = lk_print(
        c, "%s %s waited for %s in %s at %s%s, without a timeout", lk_wait_group_who(c, g),
        g->n == 1 ? "has" : "have", lk_duration(c, t ? lk_stuck(c, t) : lk_task_stuck(c, k)),
        t ? lk_blocks_in(c, t) : lk_or_else(w->call, "an await"), lk_place(c, &own), on);
    const struct lk_lock *l = lock_of(c, w);
    const struct lk_future *bare = bare_future(c, w);
    const bool sought = l || (bare && bare->unended),
               kept = (l && l->kept_by_waiters) || (bare && bare->kept_by_waiters);
    if (l)
        lk_finding_part(c, &f, w->on.v[0], false);
    if (sought) {
        say_nobody(c, &f, w, kept);
        f.remedy = lock_remedy;
        lk_finding_doubt(&f, LK_PROBABLE);
    }
    for (size_t i = 0; !sought && i < w->on.n && i < 8; i++)
        lk_finding_say(c, &f, "it waits for %s, which is not done; %s", lk_name(c, w->on.v[i]),
                       say_enders(c, w->on.v[i]));
    if (n > 1) /* it leads further than to what it waits for */
        lk_finding_chain(c, &f, path, n);
    lk_finding_doubt_absence(c, &f, LK_PROBABLE);
    f.safe_now =
        lk_print(c, "Nothing from outside frees it; %s. Or else %s",
                 kept ? "in the process, that its task is cancelled"
                 : l  ? lk_print(c, "code of the process can, if it would %s", ends_it(w, l->lent))
                      : "code of the process can, by set_result() or cancel() of the future",
                 lk_end_process_words(c));
    lk_finding_held_by(c, &f, g->who, g->n);
    lk_finding_file(c, &f);
    lk_wait_group_explain(c, g);
}

void lk_find_unbounded_future_wait(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    struct lk_long_wait *w = lk_arena_array(c->out->arena, s->threads.n + s->tasks.n, sizeof *w);
    size_t n = 0;
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        bool old = lk_is_stalled(c, t);
        if (c->explained[i] || t->running || (!old && !lk_may_stall(c, t)) ||
            (!is_unbounded(c, lk_ref_make(LK_KIND_THREAD, i)) &&
             !is_unended(c, lk_ref_make(LK_KIND_THREAD, i)))) {
            rule_out_ended(c, lk_ref_make(LK_KIND_THREAD, i), old && !c->explained[i]);
            continue;
        }
        if (old)
            w[n++] = (struct lk_long_wait){ .who = lk_ref_make(LK_KIND_THREAD, i),
                                            .last = lk_ref_make(LK_KIND_THREAD, i),
                                            .end = NULL,
                                            .place = lk_culprit_frame(t->python_stack, NULL) };
        else
            lk_watch(c, lk_ref_make(LK_KIND_THREAD, i));
    }
    for (size_t i = 0; i < s->tasks.n; i++) {
        const struct lk_task *k = &s->tasks.v[i];
        struct lk_ref task = lk_ref_make(LK_KIND_TASK, i);
        if (c->explained_tasks[i] || !is_unended_task(c, task)) {
            rule_out_ended(c, task, !c->explained_tasks[i] && lk_task_is_stalled(c, k));
            continue;
        }
        if (lk_task_is_stalled(c, k))
            w[n++] = (struct lk_long_wait){
                .who = task, .last = task, .end = NULL, .place = lk_culprit_frame(k->stack, NULL)
            };
        else if (lk_task_may_stall(c, k))
            c->out->look_again.at_end = true;
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

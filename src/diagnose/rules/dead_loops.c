/*
 * LK201 and LK204: a thread waits for something whose only ender exists no more (a closed loop, a
 * thread that stayed in the parent of a fork), or is a loop that nobody runs.
 */
#include "diagnose/rules/finders.h"

#include "diagnose/rules/finding.h"
#include "diagnose/rules/live_enders.h"
#include "diagnose/rules/rule_words.h"

/* What an end is, in words for the sentence; NULL when the node is none. */
struct end {
    struct lk_ref ref;
    bool in_fork; /* LK204 */
    bool final;   /* it exists no more; else a loop that nobody runs now, but might */
    const char *what;
};

static struct end end_of_loop(const struct lk_loop *o, size_t i)
{
    struct end e = { .ref = lk_ref_make(LK_KIND_LOOP, i) };
    switch (o->run) {
    case LK_LOOP_CLOSED:
        e.what = "is closed";
        e.final = true;
        break;
    case LK_LOOP_LOST_IN_FORK:
        e.what = "was run by a thread that exists only in the parent process";
        e.final = e.in_fork = true;
        break;
    case LK_LOOP_STOPPED: e.what = "was stopped, or its thread ended: nobody runs it"; break;
    case LK_LOOP_NEVER_RUN: e.what = "was never run"; break;
    case LK_LOOP_RUNNING:
    case LK_LOOP_UNKNOWN: break;
    }
    return e;
}

/* A thread that waits in its own wait (not one that only needs a lock behind such a wait) and was
 * marked as held up. */
static bool is_waiter(const struct lk_rule_context *c, const struct end *e, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    if (!c->mark[c->graph->first[LK_KIND_THREAD] + i])
        return false;
    if (!e->in_fork)
        return t->wait.kind == LK_WAIT_FUTURE;
    return t->wait.kind == LK_WAIT_FUTURE || t->wait.kind == LK_WAIT_LOCK ||
           t->wait.kind == LK_WAIT_IMPORT || t->wait.kind == LK_WAIT_JOIN;
}

/* Of the waiters: one without a timeout if there is one, then the one that has been stuck longest.
 */
static size_t first_waiter(const struct lk_rule_context *c, const struct end *e, size_t *waiters)
{
    const struct lk_snapshot *s = c->snap;
    size_t best = SIZE_MAX;
    *waiters = 0;
    for (size_t i = 0; i < s->threads.n; i++) {
        if (!is_waiter(c, e, i))
            continue;
        ++*waiters;
        const struct lk_thread *t = &s->threads.v[i],
                               *b = best == SIZE_MAX ? NULL : &s->threads.v[best];
        bool untimed = t->wait.timeout_ms == LK_FOREVER,
             best_untimed = b && b->wait.timeout_ms == LK_FOREVER;
        if (!b || untimed > best_untimed ||
            (untimed == best_untimed && lk_stuck(c, t) > lk_stuck(c, b)))
            best = i;
    }
    return best;
}

static void add_waiters(struct lk_rule_context *c, struct lk_finding *f, const struct end *e)
{
    for (size_t i = 0; i < c->snap->threads.n && f->threads.n < LK_MAX_LISTED; i++)
        if (is_waiter(c, e, i))
            lk_finding_part(c, f, lk_ref_make(LK_KIND_THREAD, i), false);
}

/* No timeout or timer stands anywhere between the waiter and the end. */
static bool is_untimed(const struct lk_rule_context *c, const struct lk_finding *f)
{
    for (size_t i = 0; i < f->chain.n; i++)
        if (lk_graph_node(c->graph, f->chain.v[i].from)->life != LK_LIFE_DEAD)
            return false;
    return true;
}

/* Somebody at work has the future at hand that the thread waits for, and completes futures. NULL.
 */
static const struct lk_ref *other_ender(const struct lk_rule_context *c, const struct lk_thread *t)
{
    const struct lk_future *f = t->wait.on.n == 1 ? lk_future_at(c->snap, t->wait.on.v[0]) : NULL;
    return f && lk_future_is_in_living_hands(c, f) ? &f->at_hand.v[0] : NULL;
}

/* Severity by what is proven: a final end is a deadlock at once, a timeout or a loop that might run
 * again is not. */
static bool judge_end(struct lk_rule_context *c, struct lk_finding *f, const struct end *e,
                      const struct lk_thread *t)
{
    bool old = lk_is_stalled(c, t);
    const struct lk_loop *o = lk_loop_at(c->snap, e->ref);
    if (!lk_seen_long_enough(c, t))
        lk_finding_doubt(f, LK_PROBABLE);
    const struct lk_lock *l = lk_lock_at(c->snap, e->ref);
    if (l && e->in_fork && !l->owner_certain) {
        lk_finding_doubt(f, LK_PROBABLE);
        lk_finding_say(c, f,
                       "the parent process could not be read: that the lock was held at the "
                       "fork is inferred");
    }
    const struct lk_ref *other = e->final ? other_ender(c, t) : NULL;
    if (other) {
        lk_finding_doubt(f, LK_PROBABLE);
        lk_finding_say(c, f, "%s has the future at hand: it may complete it", lk_name(c, *other));
    }
    /* A lock that stayed behind in the fork no task gives back; a future it may cancel. */
    if (e->ref.kind != LK_KIND_LOCK)
        lk_finding_doubt_absence(c, f, LK_PROBABLE);
    if (e->final && is_untimed(c, f) && f->confidence == LK_PROVEN) {
        f->severity = LK_DEADLOCK;
        return true;
    }
    f->severity = old ? LK_STALLED : LK_HAZARD;
    f->needs_time = lk_may_stall(c, t);
    /* A loop that is run in bursts is stopped most of the time: only one that stays so is spoken
     * of. */
    if (!e->final && o && !o->stable)
        return false;
    if (old || (e->final && f->confidence > LK_POSSIBLE))
        return true;
    if (f->needs_time)
        for (size_t i = 0; i < f->threads.n; i++)
            lk_watch(c, f->threads.v[i]);
    return false;
}

/* The rule's own advice is about what is to be made after the fork; of a lock only the moment
 * matters. */
static const char lock_remedy[] = "Fork before threads are started, or use the spawn start method; "
                                  "or make the lock anew in the child, with "
                                  "os.register_at_fork(after_in_child=...). A lock that another "
                                  "thread holds at the fork is never released in the child.";

static const char *kind_word(const struct end *e)
{
    return e->ref.kind == LK_KIND_LOOP ? "loop" : e->ref.kind == LK_KIND_LOCK ? "lock" : "pool";
}

static const char *end_safe_now(const struct lk_rule_context *c, const struct end *e,
                                const struct lk_node *n)
{
    if (n->timeout_ms != LK_FOREVER)
        return "The wait ends by itself with its timeout.";
    if (e->ref.kind == LK_KIND_LOCK)
        return lk_print(c, "Nothing inside the process releases this lock any more. %s",
                        lk_capitalized(c, lk_end_process_words(c)));
    if (e->final)
        return lk_print(c,
                        "Nothing inside the process completes this future any more; "
                        "future.cancel() from another thread would free the "
                        "waiter, where the code keeps hold of it. Or else %s",
                        lk_end_process_words(c));
    return lk_print(c,
                    "Running the loop again (loop.run_forever() in a thread of its own), or "
                    "future.cancel() from another thread, frees "
                    "the waiters. Or else %s",
                    lk_end_process_words(c));
}

static void tell_end(struct lk_rule_context *c, const struct end *e)
{
    struct lk_edge path[LK_MAX_CHAIN];
    size_t waiters;
    lk_graph_held_up(c->graph, e->ref, c->mark);
    size_t first = first_waiter(c, e, &waiters);
    if (first == SIZE_MAX)
        return;
    struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, first);
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    c->mark[lk_graph_node(c->graph, e->ref) - c->graph->nodes] = true;
    size_t n = lk_graph_path_within(c->graph, thread, e->ref, c->mark, path, LK_MAX_CHAIN);
    if (!n || n > LK_MAX_CHAIN)
        return;
    struct lk_finding f = lk_finding_start(c, e->in_fork ? LK_RULE_LK204 : LK_RULE_LK201);
    /* The task on that loop comes last: it stands where it stood when the loop ended. */
    for (size_t i = n; i-- > 0;)
        if (lk_thread_at(c->snap, path[i].from) && lk_is_project(c, path[i].from))
            lk_finding_part(c, &f, path[i].from, true);
    for (size_t i = 0; i < n; i++)
        lk_finding_part(c, &f, path[i].from, true);
    lk_finding_part(c, &f, e->ref, false);
    add_waiters(c, &f, e);
    lk_finding_chain(c, &f, path, n);
    lk_finding_since(c, &f, t);
    const struct lk_node *node = lk_graph_node(c->graph, thread);
    if (!judge_end(c, &f, e, t)) {
        lk_finding_drop(&f);
        return;
    }
    const char *on =
        e->ref.kind == LK_KIND_LOCK
            ? lk_name(c, e->ref)
            : lk_print(c, "something that only %s can bring about", lk_name(c, e->ref));
    const struct lk_culprit own = lk_culprit_of(c, thread);
    f.summary = lk_print(c, "%s blocks in %s at %s on %s; that %s %s", lk_name(c, thread),
                         lk_blocks_in(c, t), lk_place(c, &own), on, kind_word(e), e->what);
    lk_finding_say(c, &f, "%s %s", lk_name(c, e->ref), e->what);
    lk_finding_say(c, &f, "%s wait%s for it", lk_count(c, (int64_t)waiters, "thread"),
                   waiters == 1 ? "s" : "");
    if (node->timeout_ms != LK_FOREVER)
        lk_finding_say(c, &f, "the wait has a timeout: %s left", lk_duration(c, node->timeout_ms));
    f.safe_now = end_safe_now(c, e, node);
    if (e->ref.kind == LK_KIND_LOCK)
        f.remedy = lock_remedy;
    lk_finding_held(c, &f, e->ref);
    lk_finding_file(c, &f);
    lk_explain(c, e->ref);
}

static void tell_loops(struct lk_rule_context *c, bool in_fork)
{
    for (size_t i = 0; i < c->snap->loops.n; i++) {
        struct end e = end_of_loop(&c->snap->loops.v[i], i);
        if (e.what && e.in_fork == in_fork)
            tell_end(c, &e);
    }
}

void lk_find_future_on_dead_loop(struct lk_rule_context *c)
{
    tell_loops(c, false);
}

void lk_find_loop_lost_in_fork(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    tell_loops(c, true);
    for (size_t i = 0; i < s->locks.n; i++)
        if (s->locks.v[i].lost_in_fork)
            tell_end(c, &(struct end){
                            lk_ref_make(LK_KIND_LOCK, i), true, true,
                            s->locks.v[i].owner_by == LK_OWNER_FIELD
                                ? "was held, when the process forked, by a thread that exists only "
                                  "in the parent process"
                                : "is held, and every thread of this forked process waits for it: "
                                  "whoever took it is left in the parent process, or cannot come "
                                  "round to releasing it" });
    for (size_t i = 0; i < s->executors.n; i++)
        if (s->executors.v[i].lost_in_fork)
            tell_end(c, &(struct end){ lk_ref_make(LK_KIND_EXECUTOR, i), true, true,
                                       "has its worker threads only in the parent process" });
}

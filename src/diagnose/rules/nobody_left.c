/*
 * LK410: somebody waits, and whoever could end it is gone. A lock whose recorded owner has ended,
 * a pool's result whose worker has; or a process all threads of which wait, without a timeout, for
 * one another: no selector, no timer, no child, no signal handler of its own is left that could
 * act.
 */
#include "diagnose/rules/nobody_left.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/dry_loop.h"
#include "diagnose/rules/finders.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/live_enders.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"
#include "util/text.h"

/* ---- whoever would end it has ended ----------------------------------------------------- */

static bool is_on(const struct lk_wait *w, struct lk_ref gone)
{
    return lk_ref_eq(w->gate, gone) || lk_refs_has(&w->on, gone);
}

/* What comes to the only worker of a pool comes to it alone, also what gives a lock back. */
static bool is_one_of_several(const struct lk_rule_context *c, const struct lk_thread *t)
{
    const struct lk_executor *x = lk_executor_at(c->snap, t->works_for);
    return !x || x->workers.n > 1;
}

/*
 * A worker between two items or requests, and a lock that only its owner may release: the code that
 * would have done so is over.
 */
static bool is_left_with(const struct lk_rule_context *c, const struct lk_lock *l)
{
    const struct lk_thread *t =
        l && l->mutex && l->owner_by == LK_OWNER_FIELD && l->owners.n == 1 && !l->owner_gone
            ? lk_thread_at(c->snap, l->owners.v[0])
            : NULL;
    return t && !t->running && !t->moved && t->read != LK_READ_RACY && !t->in_request &&
           is_one_of_several(c, t) &&
           (t->wait.kind == LK_WAIT_EXECUTOR_IDLE ||
            (lk_stack_has(t->python_stack, LK_MARK_WORKER) &&
             (t->wait.kind == LK_WAIT_CONDITION || t->wait.kind == LK_WAIT_QUEUE_GET)));
}

static bool waits_for_gone(const struct lk_rule_context *c, size_t i, struct lk_ref gone)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    return !t->running && is_on(&t->wait, gone) &&
           (lk_graph_node(c->graph, lk_ref_make(LK_KIND_THREAD, i))->life == LK_LIFE_DEAD ||
            (t->wait.timeout_ms == LK_FOREVER && is_left_with(c, lk_lock_at(c->snap, gone))));
}

/* The same of tasks; the first of them, or none. */
static struct lk_ref add_waiting_tasks(struct lk_rule_context *c, struct lk_finding *f,
                                       struct lk_ref gone)
{
    struct lk_ref first = { LK_KIND_NONE, 0 };
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        const struct lk_ref task = lk_ref_make(LK_KIND_TASK, i);
        const struct lk_task *k = &c->snap->tasks.v[i];
        if (k->state != LK_TASK_PENDING || !is_on(&k->wait, gone) ||
            lk_graph_node(c->graph, task)->life != LK_LIFE_DEAD)
            continue;
        if (lk_task_is_stalled(c, k)) {
            first = first.kind == LK_KIND_NONE ? task : first;
            lk_finding_part(c, f, task, true);
            lk_finding_since_task(c, f, k);
        } else if (lk_task_may_stall(c, k)) {
            c->out->look_again.at_end = true;
        }
    }
    return first;
}

/* Adds all that wait for it for long enough; the first of them, or none. */
static struct lk_ref add_waiters(struct lk_rule_context *c, struct lk_finding *f,
                                 struct lk_ref gone)
{
    struct lk_ref first = { LK_KIND_NONE, 0 };
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
        const struct lk_thread *t = &c->snap->threads.v[i];
        if (!waits_for_gone(c, i, gone))
            continue;
        if (lk_is_stalled(c, t)) {
            first = first.kind == LK_KIND_NONE ? thread : first;
            lk_finding_part(c, f, thread, true);
            lk_finding_since(c, f, t);
        } else if (lk_may_stall(c, t)) {
            lk_watch(c, thread);
        }
    }
    return first.kind == LK_KIND_NONE ? add_waiting_tasks(c, f, gone) : first;
}

static void describe_lock(struct lk_rule_context *c, struct lk_finding *f, const char *who,
                          struct lk_ref lock)
{
    const char *owner = f->threads.n ? "thread" : "task";
    f->summary =
        lk_print(c, "%s for %s; the %s that holds that has ended", who, lk_name(c, lock), owner);
    lk_finding_say(c, f,
                   "the owner that %s records is no %s of this process any more; only its owner "
                   "may release it",
                   lk_name(c, lock), owner);
    f->safe_now = "Nothing inside the process releases this lock any more.";
}

static void describe_left(struct lk_rule_context *c, struct lk_finding *f, const char *who,
                          struct lk_ref lock)
{
    const struct lk_ref owner = lk_lock_at(c->snap, lock)->owners.v[0];
    lk_finding_doubt(f, LK_PROBABLE);
    f->summary = lk_print(c, "%s for %s; %s, which holds that, is done with what it took it for",
                          who, lk_name(c, lock), lk_name(c, owner));
    lk_finding_say(c, f,
                   "the owner that %s records is a worker that waits for its next item; only its "
                   "owner may release it, and no code on its stack will",
                   lk_name(c, lock));
    f->safe_now = "What runs next on that worker may release the lock, if it happens to do so "
                  "once more than it takes it.";
}

static void describe_job(struct lk_rule_context *c, struct lk_finding *f, const char *who,
                         struct lk_ref result)
{
    lk_finding_doubt(f, LK_PROBABLE);
    f->summary = lk_print(c,
                          "%s for %s, a pool's result that never comes: the worker process that "
                          "had its job has ended",
                          who, lk_name(c, result));
    lk_finding_say(
        c, f,
        "each worker of the pool waits for the next job, and nothing is on its way to them "
        "or from them; a worker that has ended is replaced, and what it had in hand lost");
    f->remedy =
        "A multiprocessing.Pool does not notice that a worker has died: use "
        "concurrent.futures.ProcessPoolExecutor, whose results then fail, or "
        "get(timeout=...). Find out what ended the worker: the kernel for want of memory, a "
        "signal, a crash in native code, os._exit().";
    f->safe_now = "Nothing inside the process completes this result any more.";
}

static void describe_item(struct lk_rule_context *c, struct lk_finding *f, const char *who,
                          struct lk_ref result)
{
    f->summary = lk_print(c,
                          "%s for %s, whose work item stands in the queue of a pool all threads of "
                          "which have ended",
                          who, lk_name(c, result));
    lk_finding_say(c, f,
                   "the pool has started as many threads as it may, and none of them is left: it "
                   "starts no other");
    f->remedy =
        "Leave the future of a submitted call to its pool: who completes or cancels it meanwhile "
        "makes the worker's own set_result() fail, which ends the worker. Wait with "
        "result(timeout=...), and look for \"exception in worker\" in the log of "
        "concurrent.futures.";
    f->safe_now = "Nothing inside the process completes this result any more.";
}

static void describe(struct lk_rule_context *c, struct lk_finding *f, const char *who,
                     struct lk_ref gone)
{
    const struct lk_future *result = lk_future_at(c->snap, gone);
    (!result ? (is_left_with(c, lk_lock_at(c->snap, gone)) ? describe_left : describe_lock)
     : result->job_lost ? describe_job
                        : describe_item)(c, f, who, gone);
}

/* gone: a lock or a pool's result. */
static void tell_gone(struct lk_rule_context *c, struct lk_ref gone)
{
    struct lk_edge path[LK_MAX_CHAIN];
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK410);
    struct lk_ref first = add_waiters(c, &f, gone);
    const struct lk_wait *w = lk_wait_of(c->snap, first);
    lk_graph_held_up(c->graph, gone, c->mark);
    c->mark[lk_graph_node(c->graph, gone) - c->graph->nodes] = true;
    size_t n = w ? lk_graph_path_within(c->graph, first, gone, c->mark, path, LK_MAX_CHAIN) : 0;
    if (!n || n > LK_MAX_CHAIN) {
        lk_finding_drop(&f);
        return;
    }
    lk_finding_part(c, &f, gone, false);
    lk_finding_chain(c, &f, path, n);
    f.severity = LK_STALLED;
    const struct lk_thread *t = lk_thread_at(c->snap, first);
    const char *who = lk_print(c, "%s %s in %s at %s", lk_name(c, first), t ? "blocks" : "waits",
                               t ? lk_blocks_in(c, t) : lk_or_else(w->call, "await"),
                               lk_place(c, &f.culprits.v[0]));
    const size_t waiting = t ? f.threads.n : f.tasks.n;
    describe(c, &f, who, gone);
    lk_finding_say(c, &f, "%s wait%s for it", lk_count(c, (int64_t)waiting, t ? "thread" : "task"),
                   waiting == 1 ? "s" : "");
    f.safe_now = lk_print(c, "%s %s", f.safe_now, lk_capitalized(c, lk_end_process_words(c)));
    f.safe_now = lk_with_kill(c, &f, f.safe_now);
    lk_finding_held(c, &f, gone);
    lk_finding_file(c, &f);
    lk_explain(c, gone);
}

/* ---- a process in which all wait for one another ---------------------------------------- */

/* A thing of this process alone: others may have a lock of multiprocessing, or a file's. */
static bool is_internal(const struct lk_snapshot *s, struct lk_ref r)
{
    const struct lk_lock *l = lk_lock_at(s, r);
    if (!l)
        return r.kind == LK_KIND_THREAD || r.kind == LK_KIND_FUTURE || r.kind == LK_KIND_EXECUTOR;
    return !l->of_process && (l->type == LK_LOCK_TYPE_THREADING || l->type == LK_LOCK_TYPE_QUEUE);
}

/* A lock of multiprocessing that code of the program takes: no condition, and no queue's end. */
static bool is_shared_lock(const struct lk_snapshot *s, const struct lk_thread *t)
{
    const struct lk_wait *w = &t->wait;
    const struct lk_lock *l = w->on.n == 1 ? lk_lock_at(s, w->on.v[0]) : NULL;
    const struct lk_pystack *st = t->python_stack;
    return l && l->type == LK_LOCK_TYPE_MULTIPROCESSING && st && st->n &&
           (lk_is_user_frame(&st->frames[0]) || (w->traits & LK_WAIT_BY_WITH));
}

/* It expects an end, where others wait for the next event, or for a lock that serves as a signal.
 */
static bool expects_an_end(const struct lk_thread *t)
{
    switch (t->wait.kind) {
    case LK_WAIT_SEMAPHORE:
    case LK_WAIT_BARRIER:
    case LK_WAIT_QUEUE_PUT:
    case LK_WAIT_QUEUE_JOIN:
    case LK_WAIT_FUTURE:
    case LK_WAIT_JOIN: return true;
    default: return lk_stack_has(t->python_stack, LK_MARK_JOB);
    }
}

static bool runs_job(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (lk_is_request_thread(s, &s->threads.v[i]) && !s->threads.v[i].in_request)
            return true;
    return false;
}

/* An end that only this process could bring about, or one that holds what it shares with others. */
static bool waits_within(const struct lk_snapshot *s, const struct lk_thread *t)
{
    for (size_t k = 0; k < t->wait.on.n; k++)
        if (!is_internal(s, t->wait.on.v[k]))
            return is_shared_lock(s, t);
    return t->wait.on.n > 0;
}

/* No request: where clients come, a process is never left alone. Nor is a loop that runs for
 * nobody: that may be parked on purpose. */
static bool only_waits(const struct lk_rule_context *c, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    const struct lk_wait *w = &t->wait;
    if (w->kind == LK_WAIT_SELECTOR && w->on.n == 1 && !t->moved)
        return runs_job(c->snap) && lk_loop_is_dry(c, w->on.v[0]);
    if (!t->python || t->in_request || t->running || t->read == LK_READ_RACY || t->moved ||
        t->os.on != LK_OS_FUTEX)
        return false;
    if (w->kind == LK_WAIT_EXECUTOR_IDLE)
        return true;
    bool known = w->kind == LK_WAIT_CONDITION || w->kind == LK_WAIT_EVENT ||
                 w->kind == LK_WAIT_QUEUE_GET || w->kind == LK_WAIT_LOCK || expects_an_end(t);
    return known && w->timeout_ms == LK_FOREVER && waits_within(c->snap, t) &&
           lk_graph_node(c->graph, lk_ref_make(LK_KIND_THREAD, i))->life <= LK_LIFE_OPEN;
}

/* Something beside the threads' own steps may act: a loop, a child, a handler, what was not read.
 */
static bool something_else_acts(const struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    for (size_t i = 0; i < s->loops.n; i++)
        if (s->loops.v[i].run == LK_LOOP_UNKNOWN ||
            (s->loops.v[i].run == LK_LOOP_RUNNING &&
             !lk_loop_is_dry(c, lk_ref_make(LK_KIND_LOOP, i))))
            return true;
    for (size_t i = 0; i < s->tasks.n; i++)
        if (s->tasks.v[i].kind == LK_TASK_GREENLET)
            return true;
    return !s->python.present || !s->python.frames_read || s->children.n ||
           lk_handler_may_act(s, s->own_handlers) || lk_handler_may_act(s, s->handles_alarm) ||
           s->decisive_unreadable || s->cross_waits.n;
}

/* Who waits where a thread does: it, or a task of the loop that it runs. */
static struct lk_ref waiter_at(const struct lk_rule_context *c, size_t i)
{
    const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i), task = lk_dry_wait(c, thread);
    return c->snap->threads.v[i].wait.kind == LK_WAIT_SELECTOR && task.kind == LK_KIND_TASK
               ? task
               : thread;
}

/* All threads only wait; *first is one that expects an end, not of a consumer that is parked on
 * purpose, and rather than one that joins another. */
static bool all_only_wait(struct lk_rule_context *c, size_t *first)
{
    const struct lk_snapshot *s = c->snap;
    *first = SIZE_MAX;
    for (size_t i = 0; i < s->threads.n; i++) {
        bool joins = *first != SIZE_MAX && s->threads.v[*first].wait.kind == LK_WAIT_JOIN;
        if (c->explained[i] || !only_waits(c, i))
            return false;
        const bool ends = s->threads.v[i].wait.kind == LK_WAIT_SELECTOR
                              ? waiter_at(c, i).kind == LK_KIND_TASK
                              : expects_an_end(&s->threads.v[i]);
        if ((*first == SIZE_MAX || joins) && ends &&
            !lk_enders_are_alive(c, lk_ref_make(LK_KIND_THREAD, i)))
            *first = i;
    }
    return *first != SIZE_MAX;
}

static bool all_are_stalled(struct lk_rule_context *c)
{
    bool all = true;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        if (lk_is_stalled(c, t))
            continue;
        if (lk_may_stall(c, t))
            lk_watch(c, lk_ref_make(LK_KIND_THREAD, i));
        all = false;
    }
    return all;
}

static const char *waits_in(struct lk_rule_context *c, struct lk_ref who)
{
    const struct lk_task *k = lk_task_at(c->snap, who);
    return k ? lk_or_else(k->wait.call, "an await") : lk_blocks_in(c, lk_thread_at(c->snap, who));
}

static void tell_all_wait(struct lk_rule_context *c, size_t first)
{
    const struct lk_snapshot *s = c->snap;
    const struct lk_ref who = waiter_at(c, first);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK410);
    lk_finding_part(c, &f, who, true);
    for (size_t i = 0; i < s->threads.n; i++) {
        const enum lk_wait_kind kind = s->threads.v[i].wait.kind;
        bool blame =
            expects_an_end(&s->threads.v[i]) && kind != LK_WAIT_JOIN && kind != LK_WAIT_SELECTOR;
        lk_finding_part(c, &f, lk_ref_make(LK_KIND_THREAD, i), blame);
        lk_finding_since(c, &f, &s->threads.v[i]);
        if (i < LK_MAX_LISTED / 2)
            lk_finding_say(c, &f, "%s waits in %s, without a timeout", lk_name(c, waiter_at(c, i)),
                           waits_in(c, waiter_at(c, i)));
    }
    lk_finding_doubt(&f, LK_PROBABLE);
    f.severity = LK_STALLED;
    f.remedy = "See to it that whoever is to end such a wait is still there, and does so before it "
               "waits itself: as many threads as a barrier counts, set() and put() also on errors. "
               "Wait with a timeout.";
    f.summary = lk_print(
        c, "%s blocks in %s at %s, and nobody is left who could end that: %s", lk_name(c, who),
        waits_in(c, who), lk_place(c, &f.culprits.v[0]),
        s->threads.n == 1 ? "it is the only thread"
                          : lk_print(c, "all %zu threads wait for another of them", s->threads.n));
    lk_finding_say(c, &f,
                   "no loop has anything to wake for, no child process is left, and no signal "
                   "handler of the program's own could act");
    f.safe_now = lk_capitalized(c, lk_end_process_words(c));
    f.safe_now = lk_with_kill(c, &f, f.safe_now);
    lk_finding_held_by(c, &f, f.threads.v, f.threads.n);
    lk_finding_file(c, &f);
    for (size_t i = 0; i < s->threads.n; i++)
        c->explained[i] = true;
}

static bool any_shared(const struct lk_snapshot *s, size_t *ret)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (is_shared_lock(s, &s->threads.v[ *ret = i]))
            return true;
    return false;
}

/* A process that its parent has made to work for it: that may hold what both share. */
static bool is_helper(const struct lk_snapshot *s)
{
    bool ret = false;
    for (size_t i = 0; i < s->threads.n && !ret; i++)
        ret = lk_stack_has(s->threads.v[i].python_stack, LK_MARK_HELPER);
    return ret;
}

void lk_find_nobody_left(struct lk_rule_context *c)
{
    size_t first, shared;
    for (size_t i = 0; i < c->snap->locks.n; i++)
        if (c->snap->locks.v[i].owner_gone || is_left_with(c, &c->snap->locks.v[i]))
            tell_gone(c, lk_ref_make(LK_KIND_LOCK, i));
    for (size_t i = 0; i < c->snap->futures.n; i++)
        if (c->snap->futures.v[i].job_lost)
            tell_gone(c, lk_ref_make(LK_KIND_FUTURE, i));
    for (size_t i = 0; i < c->snap->executors.n; i++) {
        const struct lk_executor *x = &c->snap->executors.v[i];
        for (size_t k = 0; x->workers_gone && k < x->n_items; k++)
            tell_gone(c, x->items[k].future);
    }
    if (!c->halted && c->snap->threads.n && !something_else_acts(c) && all_only_wait(c, &first) &&
        !any_shared(c->snap, &shared) && all_are_stalled(c))
        tell_all_wait(c, first);
}

const char *lk_shared_lock_of_nobody(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    size_t first, shared;
    if (c->halted || !any_shared(s, &shared) || s->forked || something_else_acts(c) ||
        is_helper(s) || !all_only_wait(c, &first) || !all_are_stalled(c))
        return NULL;
    const struct lk_ref who = lk_ref_make(LK_KIND_THREAD, shared);
    const struct lk_culprit p = lk_culprit_of(c, who);
    return lk_print(c,
                    "%s has waited for %s at %s for a lock that it shares with other processes: "
                    "no child is left that could hold it, and whether another process does is not "
                    "known",
                    lk_name(c, who), lk_duration(c, lk_stuck(c, &s->threads.v[shared])),
                    lk_place(c, &p));
}

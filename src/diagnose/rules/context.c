/*
 * What every finder asks of its snapshot: how long a thread is known to have stood still, what is
 * explained already, which loop a thread runs. Facts: times without progress come from samples or
 * from the scheduler's record (examine/sample/history.c); of a stopped process they say nothing.
 */
#include "diagnose/rules/context.h"

#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "util/text.h"

int64_t lk_stuck(const struct lk_rule_context *c, const struct lk_thread *t)
{
    /* A stopped process makes no progress whatever its threads wait for. */
    if (c->halted || t->running || t->stuck_ms == LK_UNKNOWN)
        return -1;
    return t->stuck_ms;
}

bool lk_is_stalled(const struct lk_rule_context *c, const struct lk_thread *t)
{
    if (c->snap->one_moment)
        return !c->halted && !t->running;
    return lk_stuck(c, t) >= c->snap->stalled_after_ms;
}

bool lk_seen_twice(const struct lk_rule_context *c)
{
    return c->snap->one_moment || c->snap->watched_ms >= LK_TWO_SAMPLES_MS;
}

bool lk_may_be_unwoken(const struct lk_rule_context *c, const struct lk_loop *o)
{
    return o->wakeup_unread == 0 || (c->snap->one_moment && o->wakeup_unread == LK_UNKNOWN);
}

bool lk_watched_long(const struct lk_rule_context *c)
{
    return c->snap->one_moment || c->snap->watched_ms >= c->snap->stalled_after_ms;
}

bool lk_may_stall(const struct lk_rule_context *c, const struct lk_thread *t)
{
    return !c->halted && !t->running && !t->moved && !lk_is_stalled(c, t) && !lk_watched_long(c);
}

/* One sample shows where a task is, not that it stays there. Two that are alike may still be two
 * waits at one place: on a connection the kernel knows when something came last. */
int64_t lk_task_stuck(const struct lk_rule_context *c, const struct lk_task *k)
{
    const struct lk_extern *e = k->wait.on.n == 1 ? lk_extern_at(c->snap, k->wait.on.v[0]) : NULL;
    if (c->halted || k->stuck_ms == LK_UNKNOWN)
        return -1;
    return e && e->quiet_ms != LK_UNKNOWN ? e->quiet_ms : k->stuck_ms;
}

bool lk_task_is_stalled(const struct lk_rule_context *c, const struct lk_task *k)
{
    if (c->snap->one_moment)
        return !c->halted && k->state == LK_TASK_PENDING && !k->ready;
    return lk_task_stuck(c, k) >= c->snap->stalled_after_ms;
}

bool lk_task_may_stall(const struct lk_rule_context *c, const struct lk_task *k)
{
    return !c->halted && !lk_task_is_stalled(c, k) &&
           (k->stuck_ms != LK_UNKNOWN || c->snap->watched_ms < LK_TWO_SAMPLES_MS) &&
           !lk_watched_long(c);
}

bool lk_seen_long_enough(const struct lk_rule_context *c, const struct lk_thread *t)
{
    return lk_seen_twice(c) || (t->stuck_by_scheduler && t->stuck_ms >= LK_ASLEEP_MS);
}

void lk_explain_all(struct lk_rule_context *c, const struct lk_ref *roots, size_t n)
{
    lk_graph_held_up_by(c->graph, roots, n, c->mark);
    size_t first = c->graph->first[LK_KIND_THREAD];
    for (size_t i = 0; i < c->snap->threads.n; i++)
        if (c->mark[first + i])
            c->explained[i] = true;
    first = c->graph->first[LK_KIND_TASK];
    for (size_t i = 0; i < c->snap->tasks.n; i++)
        if (c->mark[first + i])
            c->explained_tasks[i] = true;
    for (size_t i = 0; i < n; i++)
        if (lk_thread_at(c->snap, roots[i]))
            c->explained[roots[i].index] = true;
        else if (lk_task_at(c->snap, roots[i]))
            c->explained_tasks[roots[i].index] = true;
}

void lk_explain(struct lk_rule_context *c, struct lk_ref r)
{
    lk_explain_all(c, &r, 1);
}

void lk_watch(struct lk_rule_context *c, struct lk_ref thread)
{
    size_t from = c->out->look_again.threads.n > LK_MAX_LISTED
                      ? c->out->look_again.threads.n - LK_MAX_LISTED
                      : 0;
    for (size_t i = from; i < c->out->look_again.threads.n; i++)
        if (lk_ref_eq(c->out->look_again.threads.v[i], thread))
            return;
    lk_vec_add(&c->out->look_again.threads, thread);
}

const struct lk_pyframe *lk_wait_caller(const struct lk_thread *t)
{
    return lk_caller_frame(t->python_stack, t->wait.frame > 0 ? (size_t)t->wait.frame : 0, NULL);
}

/*
 * The frames that run a loop may stand in a greenlet of the thread that is suspended. Is it the one
 * that the thread began with, the present one was switched to from a callback (SQLAlchemy), and the
 * loop stands as long as it blocks. Else it is the present code that resumes the loop when it wants
 * something of it (Playwright).
 */
static bool is_switched_away(const struct lk_rule_context *c, struct lk_ref thread)
{
    bool away = false;
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        const struct lk_task *k = &c->snap->tasks.v[i];
        if (k->kind != LK_TASK_GREENLET || k->state != LK_TASK_PENDING ||
            !lk_stack_has(k->stack, LK_MARK_DRIVES) ||
            (k->thread.kind == LK_KIND_THREAD && !lk_ref_eq(k->thread, thread)))
            continue;
        if (k->first)
            return false;
        away = true;
    }
    return away;
}

bool lk_loop_is_switched_away(const struct lk_rule_context *c, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    return t && o->run == LK_LOOP_RUNNING && o->driven_in_python && !t->n_frame_loops &&
           !t->python_stack->truncated && is_switched_away(c, o->thread);
}

struct lk_loop *lk_loop_of_thread(const struct lk_rule_context *c, struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    if (!t)
        return NULL;
    struct lk_loop *o = t->n_frame_loops ? lk_loop_at(c->snap, t->frame_loops[0]) : NULL;
    if (!o)
        o = lk_loop_at(c->snap, t->running_loop);
    /*
     * asyncio's own loops are run by Python frames. Where a thread that ran while it was read shows
     * none of them, the record that it runs a loop is of another moment: it has just left it.
     */
    if (o && !t->n_frame_loops && t->read == LK_READ_RACY && t->python_stack->n &&
        !t->python_stack->truncated && o->driven_in_python)
        return NULL;
    if (o && lk_loop_is_switched_away(c, o))
        return NULL;
    return o && o->run == LK_LOOP_RUNNING && lk_ref_eq(o->thread, thread) ? o : NULL;
}

bool lk_tasks_may_be_missing(const struct lk_rule_context *c)
{
    return c->snap->python.present && !c->snap->tasks_complete;
}

bool lk_is_halted(const struct lk_snapshot *s)
{
    const struct lk_process_halt *p = &s->stop;
    bool traced_and_stopped = false;
    for (size_t i = 0; i < s->threads.n && p->tracer_pid > 0; i++)
        traced_and_stopped |= s->threads.v[i].kstate == 't';
    return p->job_stopped || p->frozen || traced_and_stopped;
}

bool lk_waits_at_input(const struct lk_syscall_wait *os)
{
    return (os->fd == 0 && os->on != LK_OS_SOCKET) ||
           (os->path &&
            (lk_starts_with(os->path, "/dev/tty") || lk_starts_with(os->path, "/dev/pts/")));
}

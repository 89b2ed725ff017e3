/*
 * LK401 and LK402: a callback keeps the loop's thread, by waiting or by computing.
 */
#include "rules/case.h"

#include "rules/patterns.h"

/* Share of the watched time that a callback must have computed to be called busy. */
static const double busy_share = 0.8;

enum { FRESH_TIMER_MS = 300 }; /* as far from now the first timer of a loop that comes round may be */

static bool is_blocking_wait(enum lk_wait_kind k)
{
    switch (k) {
    case LK_WAIT_LOCK:
    case LK_WAIT_CONDITION:
    case LK_WAIT_EVENT:
    case LK_WAIT_SEMAPHORE:
    case LK_WAIT_BARRIER:
    case LK_WAIT_QUEUE_GET:
    case LK_WAIT_QUEUE_PUT:
    case LK_WAIT_QUEUE_JOIN:
    case LK_WAIT_FUTURE:
    case LK_WAIT_JOIN:
    case LK_WAIT_IMPORT:
    case LK_WAIT_IO:
    case LK_WAIT_SLEEP:
    case LK_WAIT_CHILD:
    case LK_WAIT_SIGNAL: return true;
    default: return false;
    }
}

/* True when the innermost frames belong to a callback of the loop: code outside the standard library inside of its run call. */
static bool in_callback(const struct lk_loop *o, const struct lk_thread *t)
{
    size_t outermost, index;
    unsigned marks;
    if (o->in_own_selector == LK_YES || lk_stack_has(t->python_stack, LK_MARK_NESTER))
        return false;
    size_t drive = lk_drive_call(t->python_stack, 0, &outermost, &marks);
    if (!drive) /* uvloop leaves no frame: its own word must do */
        return o->in_own_selector == LK_NO && t->current_task.kind == LK_KIND_TASK;
    return lk_caller_frame(t->python_stack, 0, &index) && index < drive - 1;
}

/* Someone waits for the loop: other callbacks or tasks, requests behind it, or whoever asked for the work item that runs it. */
static bool someone_waits(const struct lk_finding *f, const struct lk_loop *o, const struct lk_thread *t)
{
    return f->held_tasks > 0 || f->held_requests > 0 || (o->ready != LK_UNKNOWN && o->ready > 0) ||
           t->works_on.kind == LK_KIND_FUTURE;
}

static const char *who_waits(const struct lk_case *c, const struct lk_finding *f, const struct lk_loop *o)
{
    return lk_print(c, "%s %s in its ready queue; %s and %s wait behind it",
                    o->ready == LK_UNKNOWN ? "an unknown number of callbacks" : lk_count(c, o->ready, "callback"),
                    o->ready == 1 ? "stands" : "stand", lk_count(c, f->held_tasks, "task"),
                    lk_count(c, f->held_requests, "request"));
}

static void start(struct lk_case *c, struct lk_finding *f, struct lk_ref loop, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    lk_finding_part(c, f, o->thread, true);
    lk_finding_part(c, f, loop, false);
    if (lk_ref_id(c->snap, t->current_task))
        lk_finding_part(c, f, t->current_task, false);
    lk_finding_held(c, f, loop);
    if (t->read == LK_READ_RACY)
        lk_finding_doubt(f, LK_POSSIBLE);
}

/* ---- LK401 --------------------------------------------------------------------------- */

/*
 * A loop that went on between the looks, while its thread was in a sleep or another wait with a timeout in each: it was not
 * one call. Where the scheduler says that the thread did not run, it was.
 */
static bool went_on(const struct lk_case *c, struct lk_ref loop, const struct lk_thread *t)
{
    const struct lk_snapshot *s = c->snap;
    bool timed = t->wait.kind == LK_WAIT_SLEEP || (t->wait.timeout_ms != LK_FOREVER && t->wait.timeout_ms != LK_UNKNOWN);
    if (!timed || (t->stuck_by_scheduler && lk_is_stalled(c, t)))
        return false;
    for (size_t i = 0; i < s->tasks.n; i++)
        if (lk_ref_eq(s->tasks.v[i].loop, loop) && !s->tasks.v[i].stable)
            return true;
    /* A timer about to fire: had the loop stood still for seconds, its short timers would be overdue by as much. */
    const struct lk_loop *o = lk_loop_at(s, loop);
    bool fresh = o->timers > 0 && o->next_timer_ms != LK_UNKNOWN && o->next_timer_ms > -FRESH_TIMER_MS &&
                 o->next_timer_ms < FRESH_TIMER_MS;
    return !o->stable || (fresh && lk_is_stalled(c, t));
}

static void tell_blocked(struct lk_case *c, struct lk_ref loop, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    struct lk_finding f = lk_finding_start(c, "LK401");
    start(c, &f, loop, o);
    lk_finding_since(c, &f, t);
    /* A read that raced is worth a word only once nothing has moved for long. */
    bool old = lk_is_stalled(c, t), waited_for = someone_waits(&f, o, t);
    if (!t->stable)
        lk_finding_doubt(&f, LK_POSSIBLE);
    f.severity = old && waited_for ? LK_STALLED : LK_HAZARD;
    f.needs_time = waited_for && lk_may_stall(c, t);
    const struct lk_extern *e = t->wait.on.n ? lk_extern_at(c->snap, t->wait.on.v[0]) : NULL;
    const char *on = e && e->kind != LK_EXT_TIMER && e->text && *e->text ? lk_print(c, " (%s)", e->text) : "";
    f.summary = lk_print(c, "%s runs %s and blocks in %s%s at %s: nothing else on that loop runs meanwhile",
                         lk_name(c, o->thread), lk_name(c, loop), lk_blocks_in(c, t), on, lk_place(c, &f.culprits.v[0]));
    lk_finding_say(c, &f, "the thread is in a callback of the loop, not in the loop's selector, and has not moved for %s",
                   lk_duration(c, lk_stuck(c, t)));
    lk_finding_say(c, &f, "%s", who_waits(c, &f, o));
    f.safe_now =
        t->wait.kind == LK_WAIT_CHILD && t->os.child_pid > 0
            ? lk_print(c, "kill -TERM %lld (the child it waits for) lets the loop go on.", (long long)t->os.child_pid)
        : t->wait.timeout_ms != LK_FOREVER && t->wait.timeout_ms != LK_UNKNOWN
            ? lk_print(c, "It ends by itself in %s.", lk_duration(c, t->wait.timeout_ms))
            : lk_print(c, "The loop goes on when the call returns; cancelling the task does not interrupt it. Or else %s",
                       lk_end_process_words(c));
    if (lk_finding_file(c, &f))
        lk_explain(c, loop);
    lk_explain(c, o->thread);
}

void lk_find_blocking_calls(struct lk_case *c)
{
    for (size_t i = 0; i < c->snap->loops.n; i++) {
        const struct lk_loop *o = &c->snap->loops.v[i];
        const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
        if (o->run != LK_LOOP_RUNNING || !t || t->running || c->explained[o->thread.index])
            continue;
        bool long_stuck = lk_is_stalled(c, t);
        if ((t->moved && !long_stuck) || (!t->stable && !long_stuck) || lk_stuck(c, t) < LK_MIN_BLOCK_MS)
            continue;
        if (is_blocking_wait(t->wait.kind) && in_callback(o, t) && !went_on(c, lk_ref_make(LK_KIND_LOOP, i), t))
            tell_blocked(c, lk_ref_make(LK_KIND_LOOP, i), o);
    }
}

/* ---- LK402 --------------------------------------------------------------------------- */

static bool is_busy(const struct lk_case *c, const struct lk_thread *t)
{
    return !c->halted && c->snap->watched_ms >= LK_TWO_SAMPLES_MS && (t->callback_stable || t->stable) &&
           (double)t->cpu_delta_us >= busy_share * 1000.0 * (double)c->snap->watched_ms;
}

static void tell_busy(struct lk_case *c, struct lk_ref loop, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    struct lk_finding f = lk_finding_start(c, "LK402");
    start(c, &f, loop, o);
    bool old = c->snap->watched_ms >= c->snap->stalled_after_ms, waited_for = someone_waits(&f, o, t);
    /* The share of the CPU is the kernel's word; only the frames may be a moment old. */
    f.confidence = t->read == LK_READ_RACY ? LK_PROBABLE : LK_PROVEN;
    f.severity = old && waited_for ? LK_STALLED : LK_HAZARD;
    f.needs_time = waited_for && !old;
    f.stuck_ms = c->snap->watched_ms;
    f.summary = lk_print(c, "%s runs %s and computes in one callback, now at %s: nothing else on that loop runs meanwhile",
                         lk_name(c, o->thread), lk_name(c, loop), lk_place(c, &f.culprits.v[0]));
    lk_finding_say(c, &f, "the thread used %s of CPU in the %s it was watched, always inside the same callback",
                   lk_duration(c, (int64_t)(t->cpu_delta_us / 1000)), lk_duration(c, c->snap->watched_ms));
    lk_finding_say(c, &f, "%s", who_waits(c, &f, o));
    f.safe_now = "The loop goes on when the callback is done; nothing but the callback itself can end it.";
    if (lk_finding_file(c, &f))
        lk_explain(c, loop);
}

void lk_find_busy_callbacks(struct lk_case *c)
{
    for (size_t i = 0; i < c->snap->loops.n; i++) {
        const struct lk_loop *o = &c->snap->loops.v[i];
        const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
        if (o->run != LK_LOOP_RUNNING || !t || c->explained[o->thread.index] || is_blocking_wait(t->wait.kind))
            continue;
        if (is_busy(c, t) && in_callback(o, t))
            tell_busy(c, lk_ref_make(LK_KIND_LOOP, i), o);
    }
}

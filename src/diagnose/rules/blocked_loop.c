/*
 * LK401 and LK402: a callback keeps the loop's thread, by waiting or by computing. Whether it is
 * one callback, and not many short ones, the loop's own turn says (snapshot.h); where that cannot
 * be read, only a thread that stands still convicts.
 */
#include "diagnose/rules/context.h"

#include <string.h>

#include "diagnose/catalog/frames.h"
#include "util/text.h"

/* Shares of the watched time that a callback must have computed: to be called busy, and to be so
 * where its identity is unknown.
 */
static const double busy_share = 0.5, certain_share = 0.8;

enum {
    FRESH_TIMER_MS = 300, /* as far from now the first timer of a loop that comes round may be */
    MOST_AWAITS = 6,      /* coroutines of an await chain that are named */
    LONG_MS = 10000,      /* longer than that nobody likes to wait for a call to end by itself */
};

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

/*
 * True when the innermost frames belong to a callback of the loop: code outside the standard
 * library inside of its run call. At a debugger's prompt it is the developer who holds the loop.
 */
static bool in_callback(const struct lk_rule_context *c, const struct lk_loop *o,
                        const struct lk_thread *t)
{
    size_t outermost, index;
    unsigned marks;
    /* With a loop run inside another's callback the innermost one's callback is what runs; the
     * outer loop is LK303's. */
    if (t->n_frame_loops && lk_loop_at(c->snap, t->frame_loops[0]) != o)
        return false;
    if (o->in_own_selector == LK_YES ||
        lk_stack_has(t->python_stack, LK_MARK_NESTER | LK_MARK_DEBUGGER))
        return false;
    size_t drive = lk_drive_call(t->python_stack, 0, &outermost, &marks);
    /* uvloop leaves no frame: a thread that runs it and is not in its selector is in a callback of
     * it. */
    if (!drive)
        return o->in_own_selector == LK_NO && lk_loop_at(c->snap, t->running_loop) == o &&
               lk_caller_frame(t->python_stack, 0, NULL);
    return lk_caller_frame(t->python_stack, 0, &index) && index < drive - 1;
}

/* Since when the loop's thread has been in its present callback, at least; -1 when that is not
 * known. */
static int64_t callback_age(const struct lk_rule_context *c, const struct lk_loop *o)
{
    return !c->halted && o->turn && o->callback_same && o->callback_ms != LK_UNKNOWN
               ? o->callback_ms
               : -1;
}

/* Someone waits for the loop: other callbacks or tasks, requests behind it, or whoever asked for
 * the work item that runs it. */
static bool someone_waits(const struct lk_finding *f, const struct lk_loop *o,
                          const struct lk_thread *t)
{
    return f->held_tasks > 0 || f->held_requests > 0 || (o->ready != LK_UNKNOWN && o->ready > 0) ||
           t->works_on.kind == LK_KIND_FUTURE;
}

static const char *who_waits(const struct lk_rule_context *c, const struct lk_finding *f,
                             const struct lk_loop *o)
{
    return lk_print(c, "%s %s in its ready queue; %s and %s wait behind it",
                    o->ready == LK_UNKNOWN ? "an unknown number of callbacks"
                                           : lk_count(c, o->ready, "callback"),
                    o->ready == 1 ? "stands" : "stand", lk_count(c, f->held_tasks, "task"),
                    lk_count(c, f->held_requests, "request"));
}

/* The coroutines on the stack, from the task's own inwards: "view > fetch > query". */
static const char *awaits(const struct lk_rule_context *c, const struct lk_pystack *st)
{
    const char *text = NULL;
    size_t n = 0;
    for (size_t i = 0; st && i < st->n; i++) {
        const struct lk_code *code = st->frames[i].code;
        if (!code || !code->is_coroutine)
            continue;
        if (++n > MOST_AWAITS)
            return lk_print(c, "... > %s", text);
        text = text ? lk_print(c, "%s > %s", code->qualname, text) : code->qualname;
    }
    return text;
}

static void say_task(struct lk_rule_context *c, struct lk_finding *f, const struct lk_thread *t)
{
    const struct lk_task *k = lk_task_at(c->snap, t->current_task);
    const char *chain = k ? awaits(c, k->stack) : NULL;
    if (k)
        lk_finding_say(c, f, "the callback is a step of %s%s%s", lk_name(c, t->current_task),
                       chain ? ": " : "", chain ? chain : "");
}

static void say_age(struct lk_rule_context *c, struct lk_finding *f, const struct lk_loop *o)
{
    int64_t age = callback_age(c, o);
    if (age >= LK_MIN_BLOCK_MS)
        lk_finding_say(c, f, "the loop has been in this one callback for %s%s",
                       o->turn_first ? "" : "at least ", lk_duration(c, age));
}

static void start(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref loop,
                  const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    lk_finding_part(c, f, o->thread, true);
    lk_finding_part(c, f, loop, false);
    if (lk_ref_id(c->snap, t->current_task))
        lk_finding_part(c, f, t->current_task, false);
    lk_finding_held(c, f, loop);
    /* Frames of a thread that ran may be of different moments; that the callback was the same in
     * all samples stands. */
    if (t->read == LK_READ_RACY)
        lk_finding_doubt(f, callback_age(c, o) >= 0 && c->snap->watched_ms >= LK_TWO_SAMPLES_MS
                                ? LK_PROBABLE
                                : LK_POSSIBLE);
}

/* ---- LK401: which call ----------------------------------------------------------------- */

/* The interpreter: what stands further out belongs to another call. */
static bool is_interpreter(const struct lk_natframe *f)
{
    return f->function &&
           (lk_starts_with(f->function, "_PyEval_") || lk_starts_with(f->function, "PyEval_"));
}

/* The outermost native function that the table knows, of those that the innermost Python frame
 * called. */
static const char *native_call(const struct lk_rule_context *c, const struct lk_thread *t,
                               bool *by_user)
{
    const struct lk_natstack *st = t->native_stack;
    const char *found = NULL;
    *by_user = false;
    for (size_t i = 0; st && i < st->n && !is_interpreter(&st->frames[i]); i++) {
        bool users;
        const struct lk_call_pattern *p =
            lk_pattern_native(c->snap->patterns, &st->frames[i], &users);
        if (!p || (*by_user && !users))
            continue;
        found = p->call ? p->call : lk_print(c, "%s()", st->frames[i].function);
        *by_user = users;
    }
    return found;
}

/* The outermost Python function that the table knows, inside of the frame that is to blame. */
static const char *python_call(const struct lk_rule_context *c, const struct lk_thread *t)
{
    const struct lk_pystack *st = t->python_stack;
    const char *found = NULL;
    size_t culprit = st ? st->n : 0;
    lk_culprit_frame(st, &culprit);
    for (size_t i = 0; st && i < st->n && i <= culprit; i++) {
        const struct lk_code *code = st->frames[i].code;
        if (code && (code->marks & LK_MARK_BLOCKING))
            found = code->call ? code->call : lk_print(c, "%s()", code->qualname);
    }
    return found;
}

/* A function made in C, by the name that Python code has for it. */
static const char *callee_call(const struct lk_rule_context *c, const struct lk_thread *t)
{
    for (size_t i = 0; i < t->wait.n_callees; i++) {
        const struct lk_call_pattern *p = lk_pattern_callee(c->snap->patterns, t->wait.callees[i]);
        if (p)
            return p->call ? p->call : lk_print(c, "%s()", t->wait.callees[i]);
    }
    return NULL;
}

/* The blocking call by the table; NULL when it has no name for it. */
static const char *known_call(const struct lk_rule_context *c, const struct lk_thread *t)
{
    bool by_user;
    const char *native = native_call(c, t, &by_user), *python = python_call(c, t);
    const struct lk_call_pattern *p = lk_pattern_syscall(c->snap->patterns, t->os.syscall);
    const char *callee = callee_call(c, t);
    if (native && by_user)
        return native;
    if (callee)
        return callee;
    if (python)
        return python;
    if (p)
        return p->call ? p->call : lk_print(c, "%s()", t->os.syscall);
    return native;
}

static const char *what_is_waited_for(const struct lk_rule_context *c, const struct lk_thread *t)
{
    const struct lk_extern *e = t->wait.on.n ? lk_extern_at(c->snap, t->wait.on.v[0]) : NULL;
    if (e && e->kind != LK_EXT_TIMER && e->text && *e->text)
        return e->text;
    const struct lk_lock *l = t->wait.on.n ? lk_lock_at(c->snap, t->wait.on.v[0]) : NULL;
    return l ? lk_name(c, t->wait.on.v[0]) : NULL;
}

/* "requests.request() [socket.recv_into(), 10.0.0.7:443]" */
static const char *call_words(const struct lk_rule_context *c, const struct lk_thread *t)
{
    const char *call = known_call(c, t), *inner = lk_blocks_in(c, t),
               *on = what_is_waited_for(c, t);
    if (call && strcmp(call, inner) != 0)
        return on ? lk_print(c, "%s [%s, %s]", call, inner, on)
                  : lk_print(c, "%s [%s]", call, inner);
    return on ? lk_print(c, "%s (%s)", inner, on) : inner;
}

/* ---- what a callback does most ---------------------------------------------------------- */

static double cpu_share(const struct lk_rule_context *c, const struct lk_thread *t)
{
    return c->snap->watched_ms > 0
               ? (double)t->cpu_delta_us / (1000.0 * (double)c->snap->watched_ms)
               : 0;
}

/* A callback that now computes and now waits; what it is in for --stalled-after is what it does. */
static bool computes_most(const struct lk_rule_context *c, const struct lk_loop *o,
                          const struct lk_thread *t)
{
    return o->callback_same && c->snap->watched_ms >= LK_TWO_SAMPLES_MS &&
           cpu_share(c, t) >= busy_share && !lk_is_stalled(c, t);
}

/* ---- LK401 --------------------------------------------------------------------------- */

/*
 * A wait that was not found out (a futex in an extension, a device) is still a wait, if it is a
 * long one or has a name: asleep in a system call that is not the loop's own.
 */
static bool blocks(const struct lk_rule_context *c, const struct lk_thread *t)
{
    if (is_blocking_wait(t->wait.kind))
        return true;
    return t->wait.kind == LK_WAIT_UNKNOWN && t->os.syscall && t->read >= LK_READ_ASLEEP &&
           (lk_is_stalled(c, t) || known_call(c, t));
}

/*
 * A loop that went on between the looks, while its thread was in a sleep or another wait with a
 * timeout in each: it was not one call. Where the scheduler says that the thread did not run, it
 * was.
 */
static bool went_on(const struct lk_rule_context *c, struct lk_ref loop, const struct lk_thread *t)
{
    const struct lk_snapshot *s = c->snap;
    const struct lk_loop *o = lk_loop_at(s, loop);
    bool timed = t->wait.kind == LK_WAIT_SLEEP ||
                 (t->wait.timeout_ms != LK_FOREVER && t->wait.timeout_ms != LK_UNKNOWN);
    if (o->turn && t->read >= LK_READ_ASLEEP)
        return !o->callback_same;
    if (!timed || (t->stuck_by_scheduler && lk_is_stalled(c, t)))
        return false;
    for (size_t i = 0; i < s->tasks.n; i++)
        if (lk_ref_eq(s->tasks.v[i].loop, loop) && !s->tasks.v[i].stable)
            return true;
    /* A timer about to fire: had the loop stood still for seconds, its short timers would be
     * overdue by as much. */
    bool fresh = o->timers > 0 && o->next_timer_ms != LK_UNKNOWN &&
                 o->next_timer_ms > -FRESH_TIMER_MS && o->next_timer_ms < FRESH_TIMER_MS;
    return !o->stable || (fresh && lk_is_stalled(c, t));
}

static const char *how_to_free(const struct lk_rule_context *c, const struct lk_thread *t)
{
    if (t->wait.kind == LK_WAIT_CHILD && t->os.child_pid > 0)
        return lk_print(c, "kill -TERM %lld (the child it waits for) lets the loop go on.",
                        (long long)t->os.child_pid);
    if (t->wait.timeout_ms != LK_FOREVER && t->wait.timeout_ms != LK_UNKNOWN)
        return lk_print(c, "It ends by itself in %s.%s", lk_duration(c, t->wait.timeout_ms),
                        t->wait.timeout_ms < LONG_MS
                            ? ""
                            : lk_print(c, " If that is too long, %s", lk_end_process_words(c)));
    return lk_print(c,
                    "The loop goes on when the call returns; cancelling the task does not "
                    "interrupt it. Or else %s",
                    lk_end_process_words(c));
}

/* The thread has stood in the call, or in the callback that makes it again and again, for
 * --stalled-after. */
static bool is_old(const struct lk_rule_context *c, const struct lk_loop *o,
                   const struct lk_thread *t)
{
    return lk_is_stalled(c, t) || callback_age(c, o) >= c->snap->stalled_after_ms;
}

static void judge_blocked(struct lk_rule_context *c, struct lk_finding *f, const struct lk_loop *o,
                          const struct lk_thread *t)
{
    /* A read that raced is worth a word only once nothing has moved for long. */
    bool old = is_old(c, o, t), waited_for = someone_waits(f, o, t);
    if (!t->stable && callback_age(c, o) < 0)
        lk_finding_doubt(f, LK_POSSIBLE);
    f->severity = old && waited_for ? LK_STALLED : LK_HAZARD;
    f->needs_time =
        waited_for && !old && !c->halted && c->snap->watched_ms < c->snap->stalled_after_ms;
    lk_finding_since(c, f, t);
    if (f->stuck_ms == LK_UNKNOWN || (!lk_is_stalled(c, t) && callback_age(c, o) > f->stuck_ms)) {
        f->stuck_ms = callback_age(c, o);
        f->stuck_by_scheduler = false;
    }
}

static void tell_blocked(struct lk_rule_context *c, struct lk_ref loop, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    struct lk_finding f = lk_finding_start(c, "LK401");
    start(c, &f, loop, o);
    judge_blocked(c, &f, o, t);
    f.summary = lk_print(
        c, "%s runs %s and blocks in %s at %s: nothing else on that loop runs meanwhile",
        lk_name(c, o->thread), lk_name(c, loop), call_words(c, t), lk_place(c, &f.culprits.v[0]));
    if (t->moved && !lk_is_stalled(c, t))
        lk_finding_say(c, &f,
                       "the thread is in a callback of the loop, not in the loop's selector, and "
                       "waits there time and again");
    else
        lk_finding_say(c, &f,
                       "the thread is in a callback of the loop, not in the loop's selector, and "
                       "has not moved for %s",
                       lk_duration(c, lk_stuck(c, t)));
    say_age(c, &f, o);
    say_task(c, &f, t);
    lk_finding_say(c, &f, "%s", who_waits(c, &f, o));
    f.safe_now = how_to_free(c, t);
    if (lk_finding_file(c, &f))
        lk_explain(c, loop);
    lk_explain(c, o->thread);
}

void lk_find_blocking_calls(struct lk_rule_context *c)
{
    lk_find_self_requests(c); /* the same block, told more exactly */
    for (size_t i = 0; i < c->snap->loops.n; i++) {
        const struct lk_loop *o = &c->snap->loops.v[i];
        const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
        if (o->run != LK_LOOP_RUNNING || !t || t->running || c->explained[o->thread.index] ||
            !in_callback(c, o, t) || !blocks(c, t) || computes_most(c, o, t))
            continue;
        bool stands = !t->moved && t->stable;
        if (!stands && !is_old(c, o, t) && callback_age(c, o) < 0)
            continue;
        if (LK_MAX(lk_stuck(c, t), callback_age(c, o)) < LK_MIN_BLOCK_MS ||
            went_on(c, lk_ref_make(LK_KIND_LOOP, i), t))
            continue;
        tell_blocked(c, lk_ref_make(LK_KIND_LOOP, i), o);
    }
}

/* ---- LK402 --------------------------------------------------------------------------- */

/* In one callback in all samples, not waiting in any call: what it does is compute, or want to (the
 * GIL). */
static bool is_busy(const struct lk_rule_context *c, const struct lk_loop *o,
                    const struct lk_thread *t)
{
    if (c->halted || c->snap->watched_ms < LK_TWO_SAMPLES_MS)
        return false;
    if (o->turn)
        return callback_age(c, o) >= LK_MIN_BLOCK_MS &&
               (t->running || cpu_share(c, t) >= busy_share);
    return t->stable && cpu_share(c, t) >= certain_share;
}

static void judge_busy(struct lk_rule_context *c, struct lk_finding *f, const struct lk_loop *o,
                       const struct lk_thread *t)
{
    int64_t age = callback_age(c, o);
    bool known = age >= 0, waited_for = someone_waits(f, o, t);
    bool old = known && age >= c->snap->stalled_after_ms;
    /* The moment a turn began is the loop's own word, and the CPU time the kernel's; only the
     * frames may be a moment old. */
    f->confidence = !known                                                       ? LK_POSSIBLE
                    : t->read == LK_READ_RACY || strcmp(o->kind, "asyncio") != 0 ? LK_PROBABLE
                                                                                 : LK_PROVEN;
    f->severity = old && waited_for ? LK_STALLED : LK_HAZARD;
    f->needs_time = known && waited_for && !old && c->snap->watched_ms < c->snap->stalled_after_ms;
    f->stuck_ms = known ? age : c->snap->watched_ms;
}

static void tell_busy(struct lk_rule_context *c, struct lk_ref loop, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    struct lk_finding f = lk_finding_start(c, "LK402");
    start(c, &f, loop, o);
    judge_busy(c, &f, o, t);
    f.summary = lk_print(c,
                         "%s runs %s and computes in one callback, now at %s: nothing else on that "
                         "loop runs meanwhile",
                         lk_name(c, o->thread), lk_name(c, loop), lk_place(c, &f.culprits.v[0]));
    lk_finding_say(c, &f, "the thread used %s of CPU in the %s it was watched",
                   lk_duration(c, (int64_t)(t->cpu_delta_us / 1000)),
                   lk_duration(c, c->snap->watched_ms));
    if (o->turn)
        say_age(c, &f, o);
    else
        lk_finding_say(c, &f,
                       "its stack was the same in all samples; that it is one callback and not "
                       "many cannot be told for %s",
                       lk_name(c, loop));
    say_task(c, &f, t);
    lk_finding_say(c, &f, "%s", who_waits(c, &f, o));
    f.safe_now =
        "The loop goes on when the callback is done; nothing but the callback itself can end it.";
    if (lk_finding_file(c, &f))
        lk_explain(c, loop);
}

/* With one sample nobody is known to compute for long: another look, if anything waits. */
static bool wants_a_second_look(const struct lk_rule_context *c, const struct lk_loop *o,
                                const struct lk_thread *t)
{
    return !c->halted && t->running && o->turn && c->snap->watched_ms < LK_TWO_SAMPLES_MS &&
           (o->callback_ms >= LK_MIN_BLOCK_MS || o->turn_ms >= LK_MIN_BLOCK_MS);
}

void lk_find_busy_callbacks(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->loops.n; i++) {
        const struct lk_loop *o = &c->snap->loops.v[i];
        const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
        if (o->run != LK_LOOP_RUNNING || !t || c->explained[o->thread.index] ||
            !in_callback(c, o, t))
            continue;
        if (wants_a_second_look(c, o, t))
            lk_watch(c, o->thread);
        if (is_busy(c, o, t) && (!is_blocking_wait(t->wait.kind) || computes_most(c, o, t)))
            tell_busy(c, lk_ref_make(LK_KIND_LOOP, i), o);
    }
}

/*
 * LK401: a callback makes a blocking call on the loop's thread. What the call is named comes from
 * the catalog and the user's file, by the native and Python frames between the user's code and the
 * wait.
 */
#include "diagnose/rules/finders.h"

#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/catalog/match.h"
#include "diagnose/catalog/native_code.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/loop_callback.h"
#include "diagnose/rules/rule_words.h"
#include "diagnose/rules/starved_loop.h"
#include "util/text.h"

enum {
    FRESH_TIMER_MS = 300, /* as far from now the first timer of a loop that comes round may be */
    LONG_MS = 10000,      /* longer than that nobody likes to wait for a call to end by itself */
};

/* ---- which call ------------------------------------------------------------------------ */

/* The interpreter: what stands further out belongs to another call. */
static bool is_interpreter(const struct lk_natframe *f)
{
    return f->function && lk_native_is_evaluation(f->function);
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
    for (size_t i = 0; i < t->n_callees; i++) {
        const struct lk_call_pattern *p = lk_pattern_callee(c->snap->patterns, t->callees[i]);
        if (p)
            return p->call ? p->call : lk_print(c, "%s()", t->callees[i]);
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

/* ---- the rule ------------------------------------------------------------------------- */

/*
 * A wait that was not found out (a futex in an extension, a device) is still a wait, if it is a
 * long one or has a name, or nothing of it would (a lock of a library in C): asleep in a system
 * call that is not the loop's own.
 */
static bool is_in_blocking_call(const struct lk_rule_context *c, const struct lk_loop *o,
                                const struct lk_thread *t)
{
    if (lk_is_blocking_wait(t->wait.kind))
        return true;
    return t->wait.kind == LK_WAIT_UNKNOWN && t->os.syscall && t->read >= LK_READ_ASLEEP &&
           (o->native || lk_is_stalled(c, t) || known_call(c, t));
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
    /* A turn that was read while its thread ran may be torn; the same one in all samples is not. */
    if (o->turn && (t->read >= LK_READ_ASLEEP || o->callback_same))
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

/* Any code may end it, that of this loop too, which then cannot. */
static bool is_open(const struct lk_wait *w)
{
    static const enum lk_wait_kind kinds[] = { LK_WAIT_CONDITION,  LK_WAIT_EVENT,
                                               LK_WAIT_SEMAPHORE,  LK_WAIT_BARRIER,
                                               LK_WAIT_QUEUE_GET,  LK_WAIT_QUEUE_PUT,
                                               LK_WAIT_QUEUE_JOIN, LK_WAIT_FUTURE };
    for (size_t i = 0; i < LK_ARRAY_LEN(kinds); i++)
        if (w->kind == kinds[i])
            return !w->complete;
    return false;
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
    return lk_print(
        c, "The loop goes on when the call returns%s%s. Or else %s",
        is_open(&t->wait) ? ", which it cannot where only code on this loop would end it" : "",
        t->python ? "; cancelling the task does not interrupt it" : "", lk_end_process_words(c));
}

/* The thread has stood in the call, or in the callback that makes it again and again, for
 * --stalled-after. */
static bool is_old(const struct lk_rule_context *c, const struct lk_loop *o,
                   const struct lk_thread *t)
{
    return lk_is_stalled(c, t) || lk_callback_age(c, o) >= c->snap->stalled_after_ms;
}

/* A contended lock: whoever holds it moves, or runs, and passes it on. */
static bool is_passed_on(const struct lk_rule_context *c, const struct lk_thread *t)
{
    const struct lk_lock *l =
        t->wait.kind == LK_WAIT_LOCK && t->wait.on.n ? lk_lock_at(c->snap, t->wait.on.v[0]) : NULL;
    for (size_t i = 0; l && i < l->owners.n; i++) {
        const struct lk_thread *owner = lk_thread_at(c->snap, l->owners.v[i]);
        if (!owner || !(owner->moved || owner->running))
            return false;
    }
    return l && l->owners.n;
}

static void judge_blocked(struct lk_rule_context *c, struct lk_finding *f, const struct lk_loop *o,
                          const struct lk_thread *t)
{
    /* A read that raced is worth a word only once nothing has moved for long. */
    bool old = is_old(c, o, t), waited_for = lk_someone_waits_for_loop(c, f, o, t);
    if (!t->stable && lk_callback_age(c, o) < 0)
        lk_finding_doubt(f, LK_POSSIBLE);
    f->severity = old && waited_for ? LK_STALLED : LK_HAZARD;
    f->needs_time = waited_for && !old && !c->halted && !lk_watched_long(c);
    lk_finding_since(c, f, t);
    if (f->stuck_ms == LK_UNKNOWN ||
        (!lk_is_stalled(c, t) && lk_callback_age(c, o) > f->stuck_ms)) {
        f->stuck_ms = lk_callback_age(c, o);
        f->stuck_by_scheduler = false;
    }
}

static void tell_blocked(struct lk_rule_context *c, struct lk_ref loop, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    const char *meanwhile;
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK401);
    lk_callback_finding(c, &f, loop, o);
    judge_blocked(c, &f, o, t);
    if (!lk_weigh_callback(c, &f, loop, o, &meanwhile)) {
        lk_rule_out(c, LK_RULE_LK401, &o->thread, 1, "nobody else needs the loop meanwhile");
        lk_finding_drop(&f);
        return;
    }
    f.summary =
        lk_print(c, "%s runs %s and blocks in %s at %s: %s", lk_name(c, o->thread),
                 lk_name(c, loop), call_words(c, t), lk_place(c, &f.culprits.v[0]), meanwhile);
    if (t->moved && !lk_is_stalled(c, t))
        lk_finding_say(c, &f,
                       "the thread is in a callback of the loop, not in the loop's selector, and "
                       "waits there time and again");
    else
        lk_finding_say(c, &f,
                       "the thread is in a callback of the loop, not in the loop's selector%s%s",
                       c->snap->one_moment ? "" : ", and has not moved for ",
                       c->snap->one_moment ? "" : lk_duration(c, lk_stuck(c, t)));
    lk_say_callback_age(c, &f, o);
    lk_say_callback_task(c, &f, t);
    lk_finding_say(c, &f, "%s", lk_who_waits_for_loop(c, &f, o));
    f.safe_now = how_to_free(c, t);
    f.remedy = lk_offload_remedy(c, &f, o);
    if (lk_finding_file(c, &f))
        lk_explain(c, loop);
    lk_explain(c, o->thread);
}

/* Of a core dump that is not known. */
static bool is_short(const struct lk_rule_context *c, const struct lk_loop *o,
                     const struct lk_thread *t)
{
    return !c->snap->one_moment && LK_MAX(lk_stuck(c, t), lk_callback_age(c, o)) < LK_MIN_BLOCK_MS;
}

/* What says that the loop does not stand still in the call that its thread is in; NULL: nothing. */
static const char *why_not_blocked(const struct lk_rule_context *c, struct lk_ref loop,
                                   const struct lk_thread *t)
{
    const struct lk_loop *o = lk_loop_at(c->snap, loop);
    const bool stands = !t->moved && t->stable;
    if (!stands && !is_old(c, o, t) && lk_callback_age(c, o) < 0)
        return "the thread moved while it was watched";
    if (is_short(c, o, t))
        return "the call has lasted for a moment only";
    if (!is_old(c, o, t) && is_passed_on(c, t))
        return "the lock that it waits for is passed on: its holder moves";
    if (went_on(c, loop, t))
        return "the loop went on between the looks: it is not one call";
    return NULL;
}

void lk_find_blocking_call_in_loop(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->loops.n; i++) {
        const struct lk_loop *o = &c->snap->loops.v[i];
        const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
        if (lk_tell_starved_loop(c, lk_ref_make(LK_KIND_LOOP, i)))
            continue;
        if (o->run != LK_LOOP_RUNNING || !t || t->running || c->explained[o->thread.index] ||
            !lk_in_callback(c, o, t) || !is_in_blocking_call(c, o, t) || lk_computes_most(c, o, t))
            continue;
        const char *none = why_not_blocked(c, lk_ref_make(LK_KIND_LOOP, i), t);
        if (none)
            lk_rule_out(c, LK_RULE_LK401, &o->thread, 1, none);
        else
            tell_blocked(c, lk_ref_make(LK_KIND_LOOP, i), o);
    }
}

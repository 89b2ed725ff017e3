/*
 * LK203: a callback was put into the ready queue of a sleeping loop without waking it (call_soon or
 * create_task from another thread).
 */
#include "diagnose/rules/finders.h"

#include <string.h>

#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"

static const struct lk_handle *waiting_handle(const struct lk_loop *o)
{
    for (size_t i = 0; i < o->n_handles; i++)
        if (o->handles[i].cancelled == LK_NO)
            return &o->handles[i];
    return NULL;
}

/* No thread is just about to write the wake-up byte. */
static bool nobody_is_waking(const struct lk_snapshot *s, struct lk_ref loop)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (lk_ref_eq(s->threads.v[i].inside_cst, loop))
            return false;
    return true;
}

/* Whether all that waits in the queue is a library's or the interpreter's own, and no task of the
 * loop is left that it might let go on: what a failed request has left behind, for which nobody
 * waits. */
static bool is_leftover(const struct lk_loop *o)
{
    for (size_t i = 0; i < o->n_handles; i++) {
        const struct lk_handle *h = &o->handles[i];
        enum lk_code_class cls = h->frame ? h->frame->code->cls : LK_CODE_STDLIB;
        if (h->cancelled != LK_YES && (h->task.kind == LK_KIND_TASK || h->creates.kind ||
                                       (cls != LK_CODE_STDLIB && cls != LK_CODE_FRAMEWORK)))
            return false;
    }
    return o->tasks_pending == 0 && (int64_t)o->n_handles == o->ready;
}

/* Every condition of the rule's definition; t is the loop's thread. */
static bool is_lost(const struct lk_rule_context *c, size_t i, const struct lk_loop *o,
                    const struct lk_thread *t)
{
    return o->run == LK_LOOP_RUNNING && o->in_own_selector == LK_YES && lk_may_be_unwoken(c, o) &&
           o->ready > 0 && o->ready_same_head && waiting_handle(o) && t && !t->running &&
           !t->moved && t->stable && t->wait.kind != LK_WAIT_GIL && t->read >= LK_READ_ASLEEP &&
           nobody_is_waking(c->snap, lk_ref_make(LK_KIND_LOOP, i));
}

/* Nothing that exists can wake the loop any more. */
static bool nothing_can_wake(const struct lk_loop *o, const struct lk_thread *t)
{
    return o->watched_fds == 0 && o->timers == 0 && o->reachable == LK_NO &&
           (t->os.timeout_ms == LK_FOREVER || t->os.timeout_ms == LK_UNKNOWN);
}

static void judge_wakeup(struct lk_rule_context *c, struct lk_finding *f, const struct lk_loop *o,
                         const struct lk_thread *t)
{
    bool twice = lk_seen_twice(c);
    if (!twice || o->wakeup_unread == LK_UNKNOWN)
        lk_finding_doubt(f, LK_POSSIBLE); /* the callback may have been put there an instant ago */
    if (o->read == LK_READ_RACY)
        lk_finding_doubt(f, LK_PROBABLE);
    /* A task of another loop that was not read may have this one in reach. */
    f->nothing_left =
        twice && o->wakeup_unread == 0 && !lk_tasks_may_be_missing(c) && nothing_can_wake(o, t);
    if (f->nothing_left)
        f->severity = LK_DEADLOCK;
    else if (lk_is_stalled(c, t) && lk_watched_long(c))
        f->severity = LK_STALLED;
    else
        f->severity = LK_HAZARD;
    f->needs_time = f->severity == LK_HAZARD && !c->halted && !lk_watched_long(c);
}

static void tell_wakeup(struct lk_rule_context *c, size_t i, const struct lk_loop *o)
{
    struct lk_ref loop = lk_ref_make(LK_KIND_LOOP, i);
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    const struct lk_handle *h = waiting_handle(o);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK203);
    lk_finding_part(c, &f, o->thread, false);
    lk_finding_part(c, &f, loop, false);
    if (lk_ref_id(c->snap, h->task))
        lk_finding_part(c, &f, h->task, true);
    else if (h->frame)
        lk_finding_blame(&f, lk_culprit_of_frame(h->frame, LK_UNKNOWN, NULL));
    const char *what = lk_ref_id(c->snap, h->task)   ? lk_name(c, h->task)
                       : h->callback && *h->callback ? h->callback
                                                     : "a callback";
    f.summary = lk_print(c,
                         "%s sleeps in the selector of %s although %s stands in its ready queue: "
                         "it was put there from another thread "
                         "without waking the loop%s",
                         lk_name(c, o->thread), lk_name(c, loop), what,
                         o->wakeup_unread == LK_UNKNOWN ? ", or that is just being woken" : "");
    lk_finding_since(c, &f, t);
    lk_finding_say(
        c, &f,
        "in all samples the thread is inside the selector's system call and was not given the CPU");
    lk_finding_say(c, &f,
                   "in all samples the same callback that was not cancelled is the first of %s",
                   lk_count(c, o->ready, "ready callback"));
    lk_finding_say(c, &f, "%s, and no thread is inside call_soon_threadsafe of this loop",
                   o->wakeup_unread == 0
                       ? "the loop's self-pipe holds no unread byte"
                       : "whether the loop's self-pipe holds an unread byte is not in the core");
    judge_wakeup(c, &f, o, t);
    if (f.nothing_left)
        lk_finding_say(c, &f,
                       "the loop watches nothing but its self-pipe, has no timer, and no live "
                       "thread has it in reach");
    else if (o->next_timer_ms != LK_UNKNOWN && o->timers > 0)
        lk_finding_say(c, &f, "its next timer, in %s, will wake it",
                       lk_duration(c, LK_MAX(o->next_timer_ms, 0)));
    f.safe_now =
        f.nothing_left
            ? lk_capitalized(c, lk_end_process_words(c))
            : lk_print(
                  c,
                  "Whatever wakes the loop lets it work off its queue: a connection it accepts, "
                  "traffic "
                  "on a descriptor it watches, call_soon_threadsafe(lambda: None) from code of the "
                  "process. Or else %s",
                  lk_end_process_words(c));
    lk_finding_held(c, &f, loop);
    if (!f.held_requests && !f.held_tasks && is_leftover(o)) {
        lk_finding_drop(&f);
        return;
    }
    if (lk_finding_file(c, &f))
        lk_explain(c, loop);
}

void lk_find_lost_wakeup(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->loops.n; i++) {
        const struct lk_loop *o = &c->snap->loops.v[i];
        if (is_lost(c, i, o, lk_thread_at(c->snap, o->thread)))
            tell_wakeup(c, i, o);
    }
}

/*
 * LK302: an object of one loop that a task of another awaits. What completes it runs on its own
 * loop's thread and wakes that loop alone: the waiter's sleeps on.
 */
#include "diagnose/rules/finders.h"

#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"

/* One task's await across loops. */
struct crossing {
    struct lk_ref task, what, other; /* the waiter, what it awaits, the loop that belongs to */
    struct lk_ref holder;            /* a lock's: a task of that loop; NONE */
    bool done;
};

static bool is_running(const struct lk_loop *o)
{
    return o && o->run == LK_LOOP_RUNNING;
}

/*
 * The waiter's loop sleeps in its own selector, in all samples, and nobody is about to wake it.
 * That the object is done was the same all the time then, for the task has not moved.
 */
static bool sleeps(const struct lk_rule_context *c, const struct lk_task *k)
{
    const struct lk_loop *o = lk_loop_at(c->snap, k->loop);
    const struct lk_thread *t = o ? lk_thread_at(c->snap, o->thread) : NULL;
    return is_running(o) && t && o->in_own_selector == LK_YES && !t->running && !t->moved &&
           t->stable && t->wait.kind != LK_WAIT_GIL && t->read >= LK_READ_ASLEEP && k->stable &&
           (lk_may_be_unwoken(c, o) || !k->ready);
}

static void judge_crossing(struct lk_rule_context *c, struct lk_finding *f,
                           const struct crossing *x)
{
    const struct lk_task *k = lk_task_at(c->snap, x->task);
    const struct lk_loop *o = lk_loop_at(c->snap, k->loop);
    const struct lk_thread *t = o ? lk_thread_at(c->snap, o->thread) : NULL;
    bool lost = x->done && sleeps(c, k);
    const bool unsure = lost && k->ready && o && o->wakeup_unread == LK_UNKNOWN;
    if (!lk_seen_twice(c) || unsure)
        lk_finding_doubt(f, LK_POSSIBLE); /* it may have been completed an instant ago */
    else if (k->read == LK_READ_RACY)
        lk_finding_doubt(f, LK_PROBABLE);
    f->severity = lost && lk_is_stalled(c, t) && lk_watched_long(c) ? LK_STALLED : LK_HAZARD;
    f->needs_time = lost && f->severity == LK_HAZARD && !c->halted && !lk_watched_long(c);
    if (lost)
        lk_finding_since(c, f, t);
    if (lost)
        lk_finding_say(c, f, "what it awaits is done, and its own loop sleeps in its selector: %s",
                       unsure ? "whether anybody is just waking it is not in the core"
                              : "nobody woke it");
    else
        lk_finding_say(
            c, f, "it works as long as the waiting loop happens to be woken by something else");
}

static void tell_crossing(struct lk_rule_context *c, const struct crossing *x)
{
    const struct lk_task *k = lk_task_at(c->snap, x->task);
    const struct lk_loop *o = lk_loop_at(c->snap, k->loop);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK302);
    if (o && lk_ref_id(c->snap, o->thread))
        lk_finding_part(c, &f, o->thread, false);
    lk_finding_part(c, &f, k->loop, false);
    lk_finding_part(c, &f, x->other, false);
    lk_finding_part(c, &f, x->task, true);
    lk_finding_part(c, &f, x->what, false);
    lk_finding_part(c, &f, x->holder, true);
    const char *place = f.culprits.n ? lk_place(c, &f.culprits.v[0]) : "an unknown place";
    if (lk_ref_id(c->snap, x->holder))
        f.summary = lk_print(c,
                             "%s of %s waits at %s for %s, which %s of %s holds: its release does "
                             "not wake the waiting loop",
                             lk_name(c, x->task), lk_name(c, k->loop), place, lk_name(c, x->what),
                             lk_name(c, x->holder), lk_name(c, x->other));
    else if (x->what.kind == LK_KIND_LOCK)
        f.summary = lk_print(c,
                             "%s of %s waits at %s for %s, which code on %s uses too: what that "
                             "does to it does not wake the "
                             "waiting loop",
                             lk_name(c, x->task), lk_name(c, k->loop), place, lk_name(c, x->what),
                             lk_name(c, x->other));
    else
        f.summary = lk_print(
            c, "%s of %s awaits %s of %s at %s: its completion does not wake the waiting loop",
            lk_name(c, x->task), lk_name(c, k->loop), lk_name(c, x->what), lk_name(c, x->other),
            place);
    judge_crossing(c, &f, x);
    f.safe_now = x->done ? lk_print(c,
                                    "Whatever wakes the waiting loop lets the task go on, such as "
                                    "call_soon_threadsafe(lambda: "
                                    "None) from code of the process. Or else %s",
                                    lk_end_process_words(c))
                         : "Nothing needs to be ended now.";
    lk_finding_held(c, &f, x->task);
    bool stalled = f.severity >= LK_STALLED;
    if (lk_finding_file(c, &f) && stalled)
        lk_explain(c, x->task);
}

/* A task of another loop that holds the lock, which is bound to the waiter's. */
static bool held_elsewhere(const struct lk_rule_context *c, const struct lk_task *k,
                           struct crossing *x)
{
    const struct lk_lock *l = k->wait.on.n ? lk_lock_at(c->snap, k->wait.on.v[0]) : NULL;
    for (size_t i = 0; l && l->owner_certain && i < l->owners.n; i++) {
        const struct lk_task *owner = lk_task_at(c->snap, l->owners.v[i]);
        if (!owner || owner->loop.kind != LK_KIND_LOOP || lk_ref_eq(owner->loop, k->loop))
            continue;
        x->what = k->wait.on.v[0];
        x->other = owner->loop;
        x->holder = l->owners.v[i];
        return true;
    }
    return false;
}

void lk_find_primitive_across_loops(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        const struct lk_task *k = &c->snap->tasks.v[i];
        struct crossing x = { .task = lk_ref_make(LK_KIND_TASK, i),
                              .what = k->crosses,
                              .other = k->crosses_loop,
                              .done = k->crosses_done };
        if (k->state != LK_TASK_PENDING || !is_running(lk_loop_at(c->snap, k->loop)))
            continue;
        if (lk_loop_at(c->snap, x.other) ? !lk_ref_eq(x.other, k->loop) : held_elsewhere(c, k, &x))
            tell_crossing(c, &x);
    }
}

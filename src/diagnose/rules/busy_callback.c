/*
 * LK402: one callback keeps the loop's thread busy across all samples. The moment a turn of the
 * loop began is the loop's own word, the CPU time the kernel's (utime and stime of
 * /proc/PID/task/TID/stat).
 */
#include "diagnose/rules/finders.h"

#include <string.h>

#include "diagnose/rules/finding.h"
#include "diagnose/rules/loop_callback.h"
#include "diagnose/rules/rule_words.h"

/* Share of the watched time that a callback must have computed where its identity is unknown. */
static const double certain_share = 0.8;

/* In one callback in all samples, not waiting in any call: what it does is compute, or want to (the
 * GIL). */
static bool is_busy(const struct lk_rule_context *c, const struct lk_loop *o,
                    const struct lk_thread *t)
{
    if (c->halted || c->snap->watched_ms < LK_TWO_SAMPLES_MS)
        return false;
    if (o->turn)
        return lk_callback_age(c, o) >= LK_MIN_BLOCK_MS &&
               (t->running || lk_cpu_share(c, t) >= LK_BUSY_SHARE);
    return t->stable && lk_cpu_share(c, t) >= certain_share;
}

static void judge_busy(struct lk_rule_context *c, struct lk_finding *f, const struct lk_loop *o,
                       const struct lk_thread *t)
{
    int64_t age = lk_callback_age(c, o);
    bool known = age >= 0, waited_for = lk_someone_waits_for_loop(c, f, o, t);
    bool old = known && age >= c->snap->stalled_after_ms;
    /* The moment a turn began is the loop's own word, and the CPU time the kernel's; only the
     * frames may be a moment old. */
    f->confidence = !known                                            ? LK_POSSIBLE
                    : t->read == LK_READ_RACY || !o->driven_in_python ? LK_PROBABLE
                                                                      : LK_PROVEN;
    f->severity = old && waited_for ? LK_STALLED : LK_HAZARD;
    f->needs_time = known && waited_for && !old && !lk_watched_long(c);
    f->stuck_ms = known ? age : c->snap->watched_ms;
}

static void tell_busy(struct lk_rule_context *c, struct lk_ref loop, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    const char *meanwhile;
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK402);
    lk_callback_finding(c, &f, loop, o);
    judge_busy(c, &f, o, t);
    if (!lk_weigh_callback(c, &f, loop, o, &meanwhile)) {
        lk_rule_out(c, LK_RULE_LK402, &o->thread, 1, "nobody else needs the loop meanwhile");
        lk_finding_drop(&f);
        return;
    }
    f.summary =
        lk_print(c, "%s runs %s and computes in one callback, now at %s: %s", lk_name(c, o->thread),
                 lk_name(c, loop), lk_place(c, &f.culprits.v[0]), meanwhile);
    lk_finding_say(c, &f, "the thread used %s of CPU in the %s it was watched",
                   lk_duration(c, (int64_t)(t->cpu_delta_us / 1000)),
                   lk_duration(c, c->snap->watched_ms));
    if (o->turn)
        lk_say_callback_age(c, &f, o);
    else
        lk_finding_say(c, &f,
                       "its stack was the same in all samples; that it is one callback and not "
                       "many cannot be told for %s",
                       lk_name(c, loop));
    lk_say_callback_task(c, &f, t);
    lk_finding_say(c, &f, "%s", lk_who_waits_for_loop(c, &f, o));
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

void lk_find_cpu_bound_callback(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->loops.n; i++) {
        const struct lk_loop *o = &c->snap->loops.v[i];
        const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
        if (o->run != LK_LOOP_RUNNING || !t || c->explained[o->thread.index] ||
            !lk_in_callback(c, o, t))
            continue;
        if (wants_a_second_look(c, o, t))
            lk_watch(c, o->thread);
        if (is_busy(c, o, t) && (!lk_is_blocking_wait(t->wait.kind) || lk_computes_most(c, o, t)))
            tell_busy(c, lk_ref_make(LK_KIND_LOOP, i), o);
    }
}

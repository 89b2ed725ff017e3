/*
 * A loop whose thread wants the GIL while another thread sleeps in the kernel with it: native code
 * that waits without Py_BEGIN_ALLOW_THREADS, or a server that was told that there are no threads.
 * The holder's sleep is the proof: no Python code ran since it began, though the loop's thread
 * wakes every few milliseconds to ask for the GIL again (Python/ceval_gil.c take_gil).
 */
#include "diagnose/rules/starved_loop.h"

#include "diagnose/catalog/match.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/loop_callback.h"
#include "diagnose/rules/rule_words.h"

/* The thread that sleeps in a system call and has the GIL that t wants; NONE. */
static struct lk_ref find_keeper(const struct lk_rule_context *c, const struct lk_thread *t)
{
    const struct lk_ref none = { LK_KIND_NONE, 0 },
                        holder = t->wait.kind == LK_WAIT_GIL && t->wait.on.n == 1 ? t->wait.on.v[0]
                                                                                  : none;
    const struct lk_thread *h = lk_thread_at(c->snap, holder);
    return h && h != t && h->holds_gil && !h->running && h->os.syscall &&
                   h->read >= LK_READ_ASLEEP && !c->explained[holder.index]
               ? holder
               : none;
}

/* What is known of the native code that keeps the GIL; NULL. */
static const struct lk_gil_keeper *known_keeper(const struct lk_thread *holder)
{
    const struct lk_natstack *st = holder->native_stack;
    const struct lk_gil_keeper *found = NULL;
    for (size_t i = 0; st && i < st->n && !found; i++)
        found = lk_pattern_gil_keeper(&st->frames[i]);
    return found;
}

static void describe(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref loop,
                     struct lk_ref holder)
{
    const struct lk_loop *o = lk_loop_at(c->snap, loop);
    const struct lk_thread *h = lk_thread_at(c->snap, holder);
    const struct lk_gil_keeper *known = known_keeper(h);
    f->summary = lk_print(
        c, "%s runs %s and cannot go on: %s has kept the GIL for %s and sleeps in %s() at %s%s%s",
        lk_name(c, o->thread), lk_name(c, loop), lk_name(c, holder), lk_duration(c, lk_stuck(c, h)),
        h->os.syscall, lk_place(c, &f->culprits.v[0]), known ? ": " : "", known ? known->what : "");
    lk_finding_say(
        c, f,
        "%s holds the GIL by the interpreter's own record, and has slept in %s() for %s: "
        "no Python code of this process ran since",
        lk_name(c, holder), h->os.syscall, lk_duration(c, lk_stuck(c, h)));
    lk_finding_say(c, f, "%s", lk_who_waits_for_loop(c, f, o));
    f->remedy = known ? known->remedy
                      : "The code that sleeps has to give up the GIL (Py_BEGIN_ALLOW_THREADS, "
                        "nogil, a ctypes.CDLL instead of a PyDLL) before it waits.";
    f->safe_now =
        lk_print(c, "The loop goes on when that call returns. Or else %s", lk_end_process_words(c));
}

bool lk_tell_starved_loop(struct lk_rule_context *c, struct lk_ref loop)
{
    const struct lk_loop *o = lk_loop_at(c->snap, loop);
    const struct lk_thread *t = o ? lk_thread_at(c->snap, o->thread) : NULL;
    const struct lk_ref holder =
        t && o->run == LK_LOOP_RUNNING ? find_keeper(c, t) : (struct lk_ref){ LK_KIND_NONE, 0 };
    const struct lk_thread *h = lk_thread_at(c->snap, holder);
    if (!o || !h)
        return false;
    if (!lk_is_stalled(c, h)) {
        if (lk_may_stall(c, h))
            lk_watch(c, holder);
        return true;
    }
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK401);
    lk_finding_part(c, &f, holder, true);
    lk_finding_part(c, &f, o->thread, false);
    lk_finding_part(c, &f, loop, false);
    lk_finding_held(c, &f, loop);
    lk_finding_since(c, &f, h);
    f.severity = lk_someone_waits_for_loop(c, &f, o, t) ? LK_STALLED : LK_HAZARD;
    describe(c, &f, loop, holder);
    if (lk_finding_file(c, &f)) {
        lk_explain(c, loop);
        lk_explain(c, holder);
    }
    return true;
}

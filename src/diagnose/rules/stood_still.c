/*
 * LK409: `loopknot run` ends a command that stood still, or ran too long, and no other finding says
 * why. Where it stood is where the main thread is, the task that it runs its loop for, or the test
 * that it runs in another thread.
 */
#include "diagnose/rules/finders.h"

#include "diagnose/catalog/native_code.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"
#include "diagnose/wording/entity.h"

/* A test runner's main thread only looks whether its tests have ended: the first thread with code
 * of the program's own that waits without a timeout. */
static size_t waited_for(const struct lk_rule_context *c, size_t main)
{
    const struct lk_snapshot *s = c->snap;
    for (size_t i = 0; lk_native_runs_tests(s->threads.v[main].native_stack) && i < s->threads.n;
         i++)
        if (i != main && s->threads.v[i].os.timeout_ms == LK_FOREVER &&
            lk_is_project(c, lk_ref_make(LK_KIND_THREAD, i)))
            return i;
    return main;
}

static struct lk_ref where(const struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        const struct lk_task *k = lk_task_at(s, t->drives);
        if (!t->main)
            continue;
        return k && k->state == LK_TASK_PENDING && k->stack && k->stack->n
                   ? t->drives
                   : lk_ref_make(LK_KIND_THREAD, waited_for(c, i));
    }
    return (struct lk_ref){ 0 };
}

static const char *call_of(struct lk_rule_context *c, struct lk_ref at)
{
    const struct lk_thread *t = lk_thread_at(c->snap, at);
    const struct lk_task *k = lk_task_at(c->snap, at);
    const char *call = t ? t->wait.call : k ? k->wait.call : NULL;
    if (!call && t && t->os.syscall)
        call = lk_print(c, "%s()", t->os.syscall);
    return call ? lk_print(c, ", in %s", call) : "";
}

void lk_find_stood_still(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    if (!s->stood_still)
        return;
    for (size_t i = 0; i < c->out->list.n; i++)
        if (c->out->list.v[i].severity >= LK_STALLED)
            return;
    const struct lk_ref at = where(c);
    const struct lk_thread *t = lk_thread_at(s, at);
    const struct lk_task *k = lk_task_at(s, at);
    const bool too_long = s->stood_still == LK_RAN_TOO_LONG;
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK409);
    f.severity = LK_STALLED;
    f.alone = true;
    lk_finding_part(c, &f, at, true);
    if (t)
        lk_finding_since(c, &f, t);
    if (k)
        lk_finding_since_task(c, &f, k);
    if (f.stuck_ms == LK_UNKNOWN && !too_long && at.kind)
        f.stuck_ms = s->stood_still_ms;
    struct lk_culprit p = lk_culprit_of(c, at);
    f.summary = lk_print(c, "%s: %s%s%s %s%s%s", too_long ? "RAN TOO LONG" : "STOOD STILL",
                         s->stood_still_in ? s->stood_still_in : "", s->stood_still_in ? ", " : "",
                         at.kind ? lk_name(c, at) : "a process without a main thread",
                         at.kind ? "at " : "", at.kind ? lk_place(c, &p) : "", call_of(c, at));
    lk_finding_say(c, &f,
                   too_long ? "the command had run for %s, the limit that was given"
                            : "nothing of the command had moved for %s",
                   lk_duration(c, s->stood_still_ms));
    f.safe_now = "It is ended: that is what the options of `loopknot run` say.";
    lk_finding_file(c, &f);
}

/*
 * LK304: loops of several implementations that run, or have pending tasks, in one process. An idle
 * leftover is none, nor is what a framework mixes itself.
 */
#include "diagnose/rules/finders.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"

/* A thread that was met awake may have no stack: whether a framework runs the loop is not known. */
static bool is_driver_unread(const struct lk_snapshot *s, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(s, o->thread);
    return o->run == LK_LOOP_RUNNING && !o->framework_owned && t &&
           (!t->python_stack || !t->python_stack->n);
}

/* An idle leftover is none: it neither runs nor has work. */
static bool is_in_use(const struct lk_snapshot *s, const struct lk_loop *o)
{
    if (!o->kind || o->alone || o->closed == LK_YES || o->run == LK_LOOP_CLOSED || !o->stable ||
        is_driver_unread(s, o))
        return false;
    return o->run == LK_LOOP_RUNNING || (o->tasks_pending != LK_UNKNOWN && o->tasks_pending > 0);
}

/* The frame that runs the loop, or else a task on it. */
static void blame_loop(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref loop)
{
    const struct lk_snapshot *s = c->snap;
    const struct lk_loop *o = lk_loop_at(s, loop);
    const struct lk_thread *t = lk_thread_at(s, o->thread);
    const struct lk_pyframe *p = NULL;
    size_t outermost;
    unsigned marks;
    if (t && o->run == LK_LOOP_RUNNING)
        p = lk_drive_call(t->python_stack, 0, &outermost, &marks)
                ? lk_caller_frame(t->python_stack, outermost + 1, NULL)
                : lk_culprit_frame(t->python_stack, NULL);
    if (p)
        lk_finding_blame(f, lk_culprit_of_frame(p, t->tid, NULL));
    for (size_t i = 0; !p && i < s->tasks.n; i++)
        if (lk_ref_eq(s->tasks.v[i].loop, loop) && s->tasks.v[i].state == LK_TASK_PENDING) {
            lk_finding_blame(f, lk_culprit_of(c, lk_ref_make(LK_KIND_TASK, i)));
            return;
        }
}

void lk_find_mixed_loop_kinds(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    size_t first = s->loops.n, other = s->loops.n;
    for (size_t i = 0; i < s->loops.n; i++) {
        if (!is_in_use(s, &s->loops.v[i]))
            continue;
        if (first == s->loops.n)
            first = i;
        else if (other == s->loops.n && s->loops.v[i].kind_id != s->loops.v[first].kind_id)
            other = i;
    }
    /* What a framework mixes is its own affair. */
    if (other == s->loops.n ||
        (s->loops.v[first].framework_owned && s->loops.v[other].framework_owned))
        return;
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK304);
    const size_t both[] = { first, other };
    for (size_t i = 0; i < LK_ARRAY_LEN(both); i++) {
        struct lk_ref loop = lk_ref_make(LK_KIND_LOOP, both[i]);
        const struct lk_loop *o = &s->loops.v[both[i]];
        lk_finding_part(c, &f, loop, false);
        if (o->run == LK_LOOP_RUNNING)
            lk_finding_part(c, &f, o->thread, false);
        if (!o->framework_owned)
            blame_loop(c, &f, loop);
        if (o->read == LK_READ_RACY)
            lk_finding_doubt(&f, LK_PROBABLE);
        lk_finding_say(c, &f, "%s is a loop of %s and %s", lk_name(c, loop), o->kind,
                       o->run == LK_LOOP_RUNNING ? "runs" : "has pending tasks");
    }
    f.summary = lk_print(c, "loops of %s and of %s are in use side by side: %s and %s",
                         s->loops.v[first].kind, s->loops.v[other].kind,
                         lk_name(c, lk_ref_make(LK_KIND_LOOP, first)),
                         lk_name(c, lk_ref_make(LK_KIND_LOOP, other)));
    f.safe_now = "Nothing needs to be ended: both loops work.";
    lk_finding_file(c, &f);
}

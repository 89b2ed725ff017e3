/*
 * LK303: one loop driven by two threads at once, or a loop that is run inside a callback of
 * another. Facts: asyncio refuses both where it sees them (CPython Lib/asyncio/base_events.py
 * _check_running); what gets past it (nest_asyncio and the like) is declared in the catalog.
 */
#include "diagnose/rules/finders.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"

/* A callback of the outer loop has waited for its turn all the time. */
static bool outer_is_held(const struct lk_rule_context *c, const struct lk_loop *o)
{
    return !c->halted && o && o->ready > 0 && o->ready_same_head && lk_watched_long(c);
}

static void file_double(struct lk_rule_context *c, struct lk_finding *f,
                        const struct lk_loop *outer, struct lk_ref ref)
{
    f->severity = outer_is_held(c, outer) ? LK_STALLED : LK_HAZARD;
    f->needs_time =
        f->severity == LK_HAZARD && !c->halted && outer && outer->ready > 0 && !lk_watched_long(c);
    f->safe_now = "Nothing needs to be ended while callbacks still run; the outer loop goes on "
                  "when the inner call returns.";
    lk_finding_held(c, f, ref);
    lk_finding_file(c, f);
}

static void tell_nested(struct lk_rule_context *c, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i), inner = t->frame_loops[0],
                  outer = t->frame_loops[1];
    size_t outermost;
    unsigned marks;
    if (!lk_drive_call(t->python_stack, 0, &outermost, &marks))
        return;
    const struct lk_pyframe *p = lk_caller_frame(t->python_stack, outermost + 1, NULL);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK303);
    lk_finding_part(c, &f, thread, false);
    lk_finding_part(c, &f, inner, false);
    lk_finding_part(c, &f, outer, false);
    lk_finding_blame(&f, lk_culprit_of_frame(p, t->tid, NULL));
    lk_finding_since(c, &f, t);
    f.summary = lk_print(c,
                         "%s runs %s inside of a callback of %s, started at %s: the outer loop "
                         "stands still meanwhile",
                         lk_name(c, thread),
                         lk_ref_eq(inner, outer) ? "the same loop again" : lk_name(c, inner),
                         lk_name(c, outer), lk_place(c, &f.culprits.v[0]));
    lk_finding_say(c, &f,
                   "both loops' run calls stand on one stack, and no declared nester (nest_asyncio "
                   "and the like) is among the frames");
    file_double(c, &f, lk_loop_at(c->snap, outer), outer);
}

static void tell_shared(struct lk_rule_context *c, struct lk_ref loop, size_t a, size_t b)
{
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK303);
    const size_t threads[] = { a, b };
    for (size_t k = 0; k < 2; k++) {
        const struct lk_thread *t = &c->snap->threads.v[threads[k]];
        size_t outermost;
        unsigned marks;
        lk_finding_part(c, &f, lk_ref_make(LK_KIND_THREAD, threads[k]), false);
        if (lk_drive_call(t->python_stack, 0, &outermost, &marks))
            lk_finding_blame(
                &f, lk_culprit_of_frame(lk_caller_frame(t->python_stack, outermost + 1, NULL),
                                        t->tid, NULL));
    }
    lk_finding_part(c, &f, loop, false);
    f.summary = lk_print(c, "%s is driven by two threads at once: %s and %s", lk_name(c, loop),
                         lk_name(c, lk_ref_make(LK_KIND_THREAD, a)),
                         lk_name(c, lk_ref_make(LK_KIND_THREAD, b)));
    lk_finding_say(c, &f,
                   "the run calls of one loop stand on the stacks of two threads in all samples");
    file_double(c, &f, lk_loop_at(c->snap, loop), loop);
}

static bool reads_well(const struct lk_thread *t)
{
    return t->read >= LK_READ_ASLEEP && (t->stable || t->callback_stable) &&
           !lk_stack_has(t->python_stack, LK_MARK_NESTER);
}

void lk_find_loop_driven_twice(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    /* index + 1 of the first thread seen */
    size_t *driver = lk_arena_array(c->out->arena, s->loops.n, sizeof *driver);
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        if (!t->n_frame_loops || !reads_well(t))
            continue;
        if (t->n_frame_loops >= 2)
            tell_nested(c, i);
        for (size_t k = 0; k < t->n_frame_loops; k++) {
            struct lk_ref loop = t->frame_loops[k];
            if (!lk_loop_at(s, loop))
                continue;
            size_t *first = &driver[loop.index];
            if (*first && *first != i + 1)
                tell_shared(c, loop, *first - 1, i);
            else
                *first = i + 1;
        }
    }
}

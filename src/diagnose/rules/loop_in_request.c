/*
 * LK301 and LK305: a request thread that runs a loop on its own stack, for one result or for ever.
 * Facts: which frames drive a loop is the catalog's (diagnose/catalog/frames.c: CPython
 * Lib/asyncio/base_events.py, runners.py); uvloop's methods are compiled and leave none.
 */
#include "diagnose/rules/finders.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"

/* A call on a request thread's stack that drives a loop. */
struct drive {
    const struct lk_pyframe *caller; /* the user frame that makes it */
    struct lk_ref loop;
    bool forever;
};

/* uvloop's methods leave no frame: the innermost frame of an idle loop's thread is their caller.
 * Where the thread ran meanwhile, its frames and the selector that it waits in are of different
 * moments. */
static bool find_frameless(const struct lk_thread *t, size_t request, struct drive *d)
{
    size_t index;
    if (t->read == LK_READ_RACY || t->wait.kind != LK_WAIT_SELECTOR ||
        t->running_loop.kind != LK_KIND_LOOP)
        return false;
    d->caller = lk_caller_frame(t->python_stack, 0, &index);
    d->loop = t->running_loop;
    d->forever = false;
    return d->caller && index < request && d->caller->code->cls == LK_CODE_USER;
}

/* The outermost call inside of the request that drives a loop; calls further in are nested (LK303).
 */
static bool find_drive(const struct lk_thread *t, struct drive *d)
{
    size_t request = lk_request_frame(t->python_stack), outermost;
    unsigned marks;
    bool found = false;
    if (!request)
        return false;
    for (size_t n = 0; lk_drive_call(t->python_stack, n, &outermost, &marks); n++) {
        if (outermost + 1 >= request)
            break;
        found = true;
        d->caller = lk_caller_frame(t->python_stack, outermost + 1, NULL);
        d->forever = (marks & LK_MARK_FOREVER) && !(marks & LK_MARK_UNTIL);
        d->loop = n < t->n_frame_loops ? t->frame_loops[n] : t->running_loop;
    }
    if (!found)
        return find_frameless(t, request, d);
    return d->caller && d->caller->code->cls == LK_CODE_USER;
}

/* ---- LK305 --------------------------------------------------------------------------- */

static void judge_forever(struct lk_rule_context *c, struct lk_finding *f,
                          const struct lk_thread *t, const struct drive *d)
{
    bool watched = lk_watched_long(c);
    /* The loop's callbacks may move; the request's own frames, up to the one that runs it, do not.
     */
    size_t up_to_caller = t->python_stack->n - (size_t)(d->caller - t->python_stack->frames);
    bool same = t->outer_frames_same >= up_to_caller, stays = !c->halted && same && watched;
    if (t->read == LK_READ_RACY && !same)
        lk_finding_doubt(f, LK_POSSIBLE);
    f->severity = lk_is_stalled(c, t) || stays ? LK_STALLED : LK_HAZARD;
    f->needs_time = f->severity == LK_HAZARD && !c->halted && !watched;
    lk_finding_since(c, f, t);
}

static void tell_forever(struct lk_rule_context *c, size_t i, const struct drive *d)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK305);
    lk_finding_part(c, &f, thread, false);
    lk_finding_part(c, &f, d->loop, false);
    lk_finding_blame(&f, lk_culprit_of_frame(d->caller, t->tid, NULL));
    f.summary = lk_print(c,
                         "%s serves a request and sits in run_forever() of %s, called at %s: the "
                         "request never returns",
                         lk_name(c, thread), lk_name(c, d->loop), lk_place(c, &f.culprits.v[0]));
    lk_finding_say(
        c, &f, "run_forever() stands on the stack of a request, not below run_until_complete()");
    judge_forever(c, &f, t, d);
    f.safe_now = lk_print(c,
                          "loop.call_soon_threadsafe(loop.stop) from another thread lets the "
                          "request return. Or else %s",
                          lk_end_process_words(c));
    lk_finding_held(c, &f, thread);
    if (lk_finding_file(c, &f))
        lk_explain(c, thread);
}

/* ---- LK301 --------------------------------------------------------------------------- */

static bool same_place(const struct lk_pyframe *a, const struct lk_pyframe *b)
{
    return a->code == b->code && a->line == b->line;
}

/* All request threads that drive a loop from one place are one finding. */
static void tell_until(struct lk_rule_context *c, const struct drive *drives, const bool *found,
                       bool *told, size_t first)
{
    const struct lk_snapshot *s = c->snap;
    const struct drive *d = &drives[first];
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK301);
    bool certain = false;
    int64_t n = 0;
    for (size_t i = first; i < s->threads.n; i++) {
        if (!found[i] || told[i] || drives[i].forever || !same_place(d->caller, drives[i].caller))
            continue;
        told[i] = true;
        n++;
        certain |= s->threads.v[i].read >= LK_READ_ASLEEP;
        lk_finding_part(c, &f, lk_ref_make(LK_KIND_THREAD, i), false);
        lk_finding_part(c, &f, drives[i].loop, false);
        lk_finding_blame(&f, lk_culprit_of_frame(drives[i].caller, s->threads.v[i].tid, NULL));
    }
    if (!certain)
        lk_finding_doubt(&f, LK_PROBABLE);
    f.held_requests = n;
    struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, first);
    const char *who = n == 1 ? lk_print(c, "%s serves a request and runs", lk_name(c, thread))
                             : lk_print(c, "%lld request threads (%s and others) run", (long long)n,
                                        lk_name(c, thread));
    f.summary = lk_print(c, "%s an event loop of %s own on the request's stack, started at %s", who,
                         n == 1 ? "its" : "their", lk_place(c, &f.culprits.v[0]));
    lk_finding_say(c, &f,
                   "user code, not a framework's bridge, calls run_until_complete() or "
                   "asyncio.run() inside of a request");
    f.safe_now = "Nothing needs to be ended: each request goes on when its coroutine is done.";
    lk_finding_file(c, &f);
}

void lk_find_run_forever_in_request(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        struct drive d;
        if (c->snap->threads.v[i].in_request && find_drive(&c->snap->threads.v[i], &d) && d.forever)
            tell_forever(c, i, &d);
    }
}

void lk_find_loop_per_request(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    struct drive *drives = lk_arena_array(c->out->arena, s->threads.n, sizeof *drives);
    bool *found = lk_arena_array(c->out->arena, s->threads.n, sizeof *found);
    bool *told = lk_arena_array(c->out->arena, s->threads.n, sizeof *told);
    for (size_t i = 0; i < s->threads.n; i++)
        found[i] = s->threads.v[i].in_request && find_drive(&s->threads.v[i], &drives[i]) &&
                   !drives[i].forever;
    for (size_t i = 0; i < s->threads.n; i++)
        if (found[i] && !told[i])
            tell_until(c, drives, found, told, i);
}

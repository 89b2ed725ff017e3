/*
 * A core dump has no descriptors, no other process and no next moment. Who waits at a descriptor
 * may be idle there as servers are, or wait for itself: where somebody needs that wait to end, it
 * is not known whether all is well. So it is with a file lock, with a mutex whose holder is no
 * thread of the process, and with a request that stands in a wait or a callback that keeps its
 * loop: both are what a server does all day, and what it looks like when it does nothing else any
 * more.
 */
#include "diagnose/rules/unread_of_core.h"

#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/loop_callback.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"
#include "util/text.h"

/* A thread or task that cannot go on before this thread does. */
static bool is_needed(const struct lk_rule_context *c, size_t i)
{
    const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
    const size_t threads = c->graph->first[LK_KIND_THREAD], tasks = c->graph->first[LK_KIND_TASK];
    lk_graph_held_up(c->graph, thread, c->mark);
    for (size_t k = 0; k < c->snap->threads.n; k++)
        if (k != i && c->mark[threads + k])
            return true;
    for (size_t k = 0; k < c->snap->tasks.n; k++)
        if (c->mark[tasks + k])
            return true;
    return lk_serves_request(c, thread);
}

/* Somebody's request waits for what any code may bring about: a thread like this one, too. */
static bool request_waits(const struct lk_rule_context *c)
{
    static const enum lk_wait_kind open[] = { LK_WAIT_CONDITION, LK_WAIT_EVENT,
                                              LK_WAIT_SEMAPHORE, LK_WAIT_BARRIER,
                                              LK_WAIT_FUTURE,    LK_WAIT_QUEUE_GET,
                                              LK_WAIT_QUEUE_PUT, LK_WAIT_QUEUE_JOIN };
    for (size_t i = 0; i < c->snap->threads.n + c->snap->tasks.n; i++) {
        const size_t n = c->snap->threads.n;
        const struct lk_ref who =
            i < n ? lk_ref_make(LK_KIND_THREAD, i) : lk_ref_make(LK_KIND_TASK, i - n);
        const struct lk_wait *w = lk_wait_of(c->snap, who);
        for (size_t k = 0; w->timeout_ms == LK_FOREVER && k < LK_ARRAY_LEN(open); k++)
            if (w->kind == open[k] && lk_serves_request(c, who))
                return true;
    }
    return false;
}

/* Where servers and consumers stand while nobody wants anything of them. */
static bool is_idle(const struct lk_thread *t)
{
    return (t->wait.traits & LK_WAIT_LISTENS) || t->os.listening ||
           lk_stack_has(t->python_stack, LK_MARK_CONSUMER) || lk_waits_at_input(&t->os);
}

static bool is_timed(const struct lk_syscall_wait *os)
{
    return os->timeout_ms != LK_FOREVER && os->timeout_ms != LK_UNKNOWN;
}

/* "its descriptor 5", "a file lock": what of it is not in the core; NULL nothing. */
static const char *unread_end(struct lk_rule_context *c, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    const struct lk_lock *l = t->wait.on.n == 1 ? lk_lock_at(c->snap, t->wait.on.v[0]) : NULL;
    if (t->running || is_timed(&t->os))
        return NULL;
    if (t->os.on == LK_OS_FILE && t->os.fd != LK_UNKNOWN && !t->os.locked_by)
        return "who holds that file lock";
    if (l && l->type != LK_LOCK_TYPE_THREADING && l->mutex && l->locked == LK_YES && !l->owners.n &&
        !l->lost_in_fork && !l->owner_gone && !l->unowned)
        return "which process has a thread that holds it";
    if (t->os.on != LK_OS_OTHER || t->os.fd == LK_UNKNOWN)
        return NULL;
    if (is_idle(t) || (!t->main && !is_needed(c, i) && !request_waits(c)))
        return NULL;
    return lk_print(c, "what its descriptor %lld is", (long long)t->os.fd);
}

/* "127.0.0.1:8000", "/run/app.sock" */
static bool may_be_itself(const char *peer)
{
    return lk_starts_with(peer, "127.") || lk_starts_with(peer, "[::1]") || strchr(peer, '/');
}

/* A request that waits for a party on the same machine; NULL none. */
static const char *unread_party(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        const struct lk_task *k = &c->snap->tasks.v[i];
        const struct lk_ref task = lk_ref_make(LK_KIND_TASK, i);
        const struct lk_extern *e =
            k->wait.on.n == 1 ? lk_extern_at(c->snap, k->wait.on.v[0]) : NULL;
        if (k->state != LK_TASK_PENDING || k->ready || !e || e->kind != LK_EXT_OUTSIDE ||
            e->client || !e->text || !may_be_itself(e->text) ||
            (k->wait.traits & LK_WAIT_LISTENS) || k->wait.timeout_ms != LK_FOREVER ||
            !lk_serves_request(c, task))
            continue;
        const struct lk_culprit p = lk_culprit_of(c, task);
        return lk_print(c,
                        "%s waits for %s at %s, and whether that is this process itself is not "
                        "in the core",
                        lk_name(c, task), e->text, lk_place(c, &p));
    }
    return NULL;
}

/* gdb's gcore stops at the first page of a mapping that it cannot read, such as a guard page within
 * a stack's mapping (MADV_GUARD_INSTALL, glibc 2.42), and writes zeros for what follows. */
static const char *lost_stack(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->threads.n; i++)
        if (c->snap->threads.v[i].python_stack->truncated)
            return lk_print(c, "the Python stack of %s is not in the core to its end",
                            lk_name(c, lk_ref_make(LK_KIND_THREAD, i)));
    return NULL;
}

static const char *end_not_in_core(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const char *what = unread_end(c, i);
        if (!what)
            continue;
        const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
        const struct lk_culprit p = lk_culprit_of(c, thread);
        return lk_print(c, "%s waits in %s at %s, and %s is not in the core", lk_name(c, thread),
                        lk_blocks_in(c, &c->snap->threads.v[i]), lk_place(c, &p), what);
    }
    return NULL;
}

/* ---- whether it gets on ------------------------------------------------------------------ */

/* A request, or what one waits for, in a wait that nobody who runs is about to end. */
static const char *request_stands(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        const struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
        if (t->running || c->explained[i] || is_idle(t) || !lk_serves_request(c, thread) ||
            lk_graph_node(c->graph, thread)->life_untimed == LK_LIFE_LIVE)
            continue;
        const struct lk_culprit p = lk_culprit_of(c, thread);
        return lk_print(c,
                        "%s, %s, waits in %s at %s, and whether that is for a moment or for good "
                        "is not in the core",
                        lk_name(c, thread),
                        t->in_request ? "which serves a request" : "for which a request waits",
                        lk_blocks_in(c, t), lk_place(c, &p));
    }
    return NULL;
}

/* Somebody waits for the loop meanwhile; how, in words. NULL: nobody. */
static const char *who_needs_loop(struct lk_rule_context *c, struct lk_ref loop,
                                  const struct lk_loop *o)
{
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK402);
    const char *meanwhile, *who = NULL;
    lk_callback_finding(c, &f, loop, o);
    f.severity = LK_STALLED;
    if (lk_weigh_callback(c, &f, loop, o, &meanwhile) && f.severity == LK_STALLED &&
        lk_someone_waits_for_loop(c, &f, o, lk_thread_at(c->snap, o->thread)))
        who = lk_who_waits_for_loop(c, &f, o);
    lk_finding_drop(&f);
    return who;
}

/* A callback that computes: a loop's every callback does for a moment. */
static const char *callback_keeps_loop(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->loops.n; i++) {
        const struct lk_ref loop = lk_ref_make(LK_KIND_LOOP, i);
        const struct lk_loop *o = &c->snap->loops.v[i];
        const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
        if (o->run != LK_LOOP_RUNNING || !t || c->explained[o->thread.index] ||
            lk_is_blocking_wait(t->wait.kind) || !lk_in_callback(c, o, t))
            continue;
        const char *who = who_needs_loop(c, loop, o);
        const struct lk_culprit p = lk_culprit_of(c, o->thread);
        if (who)
            return lk_print(c,
                            "%s is in a callback of %s, at %s, and since when is not in the core: "
                            "%s",
                            lk_name(c, o->thread), lk_name(c, loop), lk_place(c, &p), who);
    }
    return NULL;
}

const char *lk_unread_of_core(struct lk_rule_context *c)
{
    static const char *(*const looks[])(struct lk_rule_context * c) = {
        end_not_in_core, unread_party, callback_keeps_loop, request_stands
    };
    const char *why = c->snap->one_moment ? lost_stack(c) : NULL;
    for (size_t i = 0; c->snap->one_moment && !c->halted && !why && i < LK_ARRAY_LEN(looks); i++)
        why = looks[i](c);
    return why;
}

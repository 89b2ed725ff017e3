/*
 * A core dump has no descriptors and no other process. Who waits at a descriptor may be idle there
 * as servers are, or wait for itself: where somebody needs that wait to end, it is not known
 * whether all is well. So it is with a file lock, and with a mutex whose holder is no thread of the
 * process.
 */
#include "diagnose/rules/unread_of_core.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"

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
    if (c->explained[i])
        return NULL;
    if (l && l->type != LK_LOCK_TYPE_THREADING && l->mutex && l->locked == LK_YES && !l->owners.n &&
        !l->lost_in_fork && !l->owner_gone && !l->unowned)
        return "which process has a thread that holds it";
    if (t->os.on != LK_OS_OTHER || t->os.fd == LK_UNKNOWN)
        return NULL;
    if (is_idle(t) || (!t->main && !is_needed(c, i)))
        return NULL;
    return lk_print(c, "what its descriptor %lld is", (long long)t->os.fd);
}

const char *lk_unread_of_core(struct lk_rule_context *c)
{
    for (size_t i = 0; c->snap->one_moment && !c->halted && i < c->snap->threads.n; i++) {
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

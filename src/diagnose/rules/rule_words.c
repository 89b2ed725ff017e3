/*
 * Phrases that several rules use: where a party is, what it blocks in, how the process may be ended
 * and when its supervisor will do so. Facts: gunicorn's arbiter kills a worker that has not
 * reported for its timeout (gunicorn/arbiter.py murder_workers).
 */
#include "diagnose/rules/rule_words.h"

#include "diagnose/wording/entity.h"
#include "diagnose/wording/text.h"
#include "util/text.h"

const char *lk_name(const struct lk_rule_context *c, struct lk_ref r)
{
    return lk_entity_name(c->out->arena, c->snap, r);
}

const char *lk_duration(const struct lk_rule_context *c, int64_t ms)
{
    return lk_words_duration(c->out->arena, ms < 0 ? LK_UNKNOWN : ms);
}

const char *lk_count(const struct lk_rule_context *c, int64_t n, const char *noun)
{
    return lk_words_count(c->out->arena, n, noun);
}

const char *lk_capitalized(const struct lk_rule_context *c, const char *text)
{
    if (!text || *text < 'a' || *text > 'z')
        return text;
    return lk_print(c, "%c%s", *text - 'a' + 'A', text + 1);
}

const char *lk_place(const struct lk_rule_context *c, const struct lk_culprit *p)
{
    if (p->file && p->line > 0)
        return lk_print(c, "%s (%s:%d)", lk_or_else(p->function, "?"), lk_base_name(p->file),
                        p->line);
    if (p->file)
        return lk_print(c, "%s (%s)", lk_or_else(p->function, "?"), lk_base_name(p->file));
    if (p->module)
        return lk_print(c, "%s (%s+0x%llx)", lk_or_else(p->function, "?"), p->module,
                        (unsigned long long)p->offset);
    return lk_or_else(p->function, "an unknown place");
}

const char *lk_blocks_in(const struct lk_rule_context *c, const struct lk_thread *t)
{
    static const char *const words[] = {
        [LK_WAIT_LOCK] = "a lock",
        [LK_WAIT_CONDITION] = "Condition.wait()",
        [LK_WAIT_EVENT] = "Event.wait()",
        [LK_WAIT_SEMAPHORE] = "a semaphore",
        [LK_WAIT_BARRIER] = "Barrier.wait()",
        [LK_WAIT_QUEUE_GET] = "Queue.get()",
        [LK_WAIT_QUEUE_PUT] = "Queue.put()",
        [LK_WAIT_QUEUE_JOIN] = "Queue.join()",
        [LK_WAIT_FUTURE] = "Future.result()",
        [LK_WAIT_JOIN] = "Thread.join()",
        [LK_WAIT_IMPORT] = "an import",
        [LK_WAIT_SLEEP] = "a sleep",
        [LK_WAIT_CHILD] = "a wait for a child process",
        [LK_WAIT_SIGNAL] = "a wait for a signal",
        [LK_WAIT_GIL] = "a wait for the GIL",
    };
    size_t kind = (size_t)t->wait.kind;
    if (t->wait.call && *t->wait.call)
        return t->wait.call;
    if (kind < LK_ARRAY_LEN(words) && words[kind])
        return words[kind];
    return t->os.syscall ? lk_print(c, "%s()", t->os.syscall) : "a blocking call";
}

int64_t lk_killed_in(const struct lk_rule_context *c, int64_t stuck_ms)
{
    const int64_t limit = c->snap->supervisor_timeout_ms;
    if (limit == LK_UNKNOWN || limit <= 0)
        return LK_UNKNOWN;
    return LK_MAX(limit - (stuck_ms == LK_UNKNOWN ? 0 : stuck_ms), 0);
}

const char *lk_with_kill(const struct lk_rule_context *c, const struct lk_finding *f,
                         const char *advice)
{
    const int64_t killed = lk_killed_in(c, f->stuck_ms);
    if (killed == LK_UNKNOWN)
        return advice;
    return lk_print(c, "It will be killed in %s, by its supervisor's timeout of %s. %s",
                    lk_duration(c, killed), lk_duration(c, c->snap->supervisor_timeout_ms), advice);
}

const char *lk_end_process_words(const struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    const bool timed = s->supervisor_timeout_ms != LK_UNKNOWN && s->supervisor_timeout_ms > 0;
    if (s->respawned_by && !timed && !s->one_moment)
        return lk_print(c,
                        "end this worker with kill -TERM %lld, then kill -KILL %lld if it does not "
                        "end: the %s starts another one.",
                        (long long)s->pid, (long long)s->pid, s->respawned_by);
    if (timed)
        return lk_print(c,
                        "end this worker with kill -TERM %lld (then -KILL): its supervisor starts "
                        "another one, and may do so by itself once a request has taken %s.",
                        (long long)s->pid, lk_duration(c, s->supervisor_timeout_ms));
    if (s->one_moment)
        return "restart the process, if it still runs.";
    return lk_print(
        c, "restart the process: kill -TERM %lld, then kill -KILL %lld if it does not end.",
        (long long)s->pid, (long long)s->pid);
}

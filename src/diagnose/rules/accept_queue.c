/*
 * A connection is made by the kernel, before anybody accepts it (listen(2)); how many wait, and
 * which of them have brought bytes, its tables say.
 */
#include "diagnose/rules/accept_queue.h"

#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"
#include "diagnose/wording/entity.h"

bool lk_is_left_alone(const struct lk_listener *l)
{
    for (size_t i = 0; i < l->sharers.n; i++)
        if (l->sharers.v[i].does != LK_SHARE_IDLE && l->sharers.v[i].does != LK_SHARE_WAITS)
            return false;
    return l->alone != LK_TRI_UNKNOWN;
}

bool lk_may_come_to_accept(const struct lk_thread *t)
{
    bool polls = t->os.on == LK_OS_SELECTOR || t->wait.kind == LK_WAIT_SELECTOR;
    return t->python && !t->in_request && (t->running || t->moved || (polls && t->os.fds.n == 0));
}

/* A thread of Python's that has not stood still for long enough; it is watched. */
static bool is_too_early(struct lk_rule_context *c)
{
    bool early = false;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        if (!t->python || lk_is_stalled(c, t))
            continue;
        early = true;
        if (lk_may_stall(c, t))
            lk_watch(c, lk_ref_make(LK_KIND_THREAD, i));
    }
    return early;
}

/* It wakes up by itself: a server that tries its database again before it serves. */
static bool goes_on_in_time(const struct lk_thread *t)
{
    return t->python && t->os.timeout_ms != LK_UNKNOWN && t->os.timeout_ms != LK_FOREVER;
}

static bool may_be_accepted(const struct lk_rule_context *c, const struct lk_listener *l)
{
    for (size_t i = 0; i < c->snap->threads.n; i++)
        if (lk_stands_at(&c->snap->threads.v[i], l) ||
            lk_may_come_to_accept(&c->snap->threads.v[i]) ||
            goes_on_in_time(&c->snap->threads.v[i]))
            return true;
    return !lk_is_left_alone(l);
}

/* The main thread, or the task that it runs its loop for. */
static struct lk_ref main_party(const struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        if (t->main)
            return lk_task_at(c->snap, t->drives) ? t->drives : lk_ref_make(LK_KIND_THREAD, i);
    }
    return (struct lk_ref){ LK_KIND_NONE, 0 };
}

static const char *words(struct lk_rule_context *c, const struct lk_listener *l)
{
    const struct lk_ref party = main_party(c);
    const struct lk_culprit at = lk_culprit_of(c, party);
    const char *said = lk_print(
        c, "%s %s to be accepted at %s, %lld of these %s sent something, and nobody accepts there",
        lk_count(c, l->queue, "connection"), l->queue == 1 ? "waits" : "wait",
        l->address ? l->address : "a socket of this process", (long long)l->asking,
        l->asking == 1 ? "has" : "have");
    return party.kind
               ? lk_print(c, "%s: %s stands at %s", said, lk_name(c, party), lk_place(c, &at))
               : said;
}

const char *lk_clients_left_outside(struct lk_rule_context *c)
{
    for (size_t i = 0; c->snap->python.present && !c->halted && i < c->snap->listeners.n; i++) {
        const struct lk_listener *l = &c->snap->listeners.v[i];
        if (l->listening && l->queue != LK_UNKNOWN && l->queue > 0 && l->asking != LK_UNKNOWN &&
            l->asking > 0 && !may_be_accepted(c, l))
            return is_too_early(c) ? NULL : words(c, l);
    }
    return NULL;
}

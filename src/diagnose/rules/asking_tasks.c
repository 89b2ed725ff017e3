/*
 * LK404 of coroutines. A request that is a task awaits a connection whose other end is this process
 * (read/python/stdlib/socket.c), and holds what every other request of the process waits for: an
 * asyncio.Lock around a call to its own server. Which task serves that connection is not read; that
 * there is one listener, and as many requests held up as are asked for, is as good as known.
 */
#include "diagnose/rules/asking_tasks.h"

#include "diagnose/rules/finding.h"
#include "diagnose/rules/long_waits.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"

struct asking {
    struct lk_ref v[LK_MAX_LISTED];
    size_t n;
    bool more; /* than there is room for: nothing is said */
};

/* A request of a coroutine's own to this process, with no timeout that was seen. */
static bool asks_itself(const struct lk_rule_context *c, size_t i)
{
    const struct lk_task *k = &c->snap->tasks.v[i];
    const struct lk_extern *e = k->wait.on.n == 1 ? lk_extern_at(c->snap, k->wait.on.v[0]) : NULL;
    return !c->explained_tasks[i] && e && e->kind == LK_EXT_SELF_LISTENER && !e->client &&
           k->wait.kind == LK_WAIT_IO && !k->ready && lk_is_request_task(c->snap, k) &&
           lk_graph_node(c->graph, lk_ref_make(LK_KIND_TASK, i))->timeout_ms == LK_FOREVER;
}

/* Those that have waited for long. */
static void find_asking(struct lk_rule_context *c, struct asking *a)
{
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        if (!asks_itself(c, i))
            continue;
        if (!lk_task_is_stalled(c, &c->snap->tasks.v[i])) {
            c->out->look_again.at_end |= lk_task_may_stall(c, &c->snap->tasks.v[i]);
            continue;
        }
        a->more |= a->n == LK_MAX_LISTED;
        if (!a->more)
            a->v[a->n++] = lk_ref_make(LK_KIND_TASK, i);
    }
}

/* With two of them, what is asked may be another server of the process. */
static bool has_one_listener(const struct lk_snapshot *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->listeners.n; i++)
        n += s->listeners.v[i].listening;
    return n == 1;
}

static bool *mark_of(const struct lk_rule_context *c, enum lk_kind kind, size_t i)
{
    return &c->mark[c->graph->first[kind] + i];
}

/* Each request waits for one of those that ask, and there are as many as they ask for; the first of
 * them, or none. c->mark: who is held up, and who asks. */
static struct lk_ref first_held(struct lk_rule_context *c, const struct asking *a)
{
    const struct lk_ref none = { LK_KIND_NONE, 0 };
    struct lk_ref first = none;
    size_t held = 0;
    lk_graph_held_up_by(c->graph, a->v, a->n, c->mark);
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        if (!lk_is_request_task(c->snap, &c->snap->tasks.v[i]) || asks_itself(c, i))
            continue;
        if (!*mark_of(c, LK_KIND_TASK, i))
            return none;
        if (!held++)
            first = lk_ref_make(LK_KIND_TASK, i);
    }
    for (size_t i = 0; i < c->snap->threads.n; i++)
        if (c->snap->threads.v[i].in_request && !*mark_of(c, LK_KIND_THREAD, i))
            return none;
    for (size_t i = 0; i < a->n; i++)
        *mark_of(c, LK_KIND_TASK, a->v[i].index) = true;
    return held >= a->n ? first : none;
}

static bool add_chain(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref asking,
                      struct lk_ref server)
{
    const struct lk_task *k = lk_task_at(c->snap, asking);
    struct lk_edge e[LK_MAX_CHAIN];
    size_t n = 1 + lk_graph_path_within(c->graph, server, asking, c->mark, e + 1, LK_MAX_CHAIN - 1);
    if (n == 1 || n > LK_MAX_CHAIN)
        return false;
    e[0] = (struct lk_edge){ .from = asking,
                             .to = server,
                             .why = "waits for an answer, which is for",
                             .read = k->wait.read,
                             .inferred = true,
                             .stable = k->stable };
    lk_trust_what_stays(c, e, n);
    for (size_t i = 0; i < n; i++)
        lk_finding_part(c, f, e[i].from, e[i].from.kind == LK_KIND_TASK);
    lk_finding_chain(c, f, e, n);
    return true;
}

static void tell(struct lk_rule_context *c, const struct asking *a, struct lk_ref server)
{
    const struct lk_task *k = lk_task_at(c->snap, a->v[0]);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK404);
    if (!add_chain(c, &f, a->v[0], server)) {
        lk_finding_drop(&f);
        return;
    }
    for (size_t i = 0; i < a->n; i++) {
        lk_finding_part(c, &f, a->v[i], true);
        lk_finding_since_task(c, &f, lk_task_at(c->snap, a->v[i]));
    }
    lk_finding_doubt(&f, LK_PROBABLE);
    f.severity = LK_STALLED;
    f.summary = lk_print(c,
                         "%s serves a request and waits at %s for an answer from %s, which is this "
                         "very process, without a timeout: whoever would give it waits for this "
                         "request",
                         lk_name(c, a->v[0]), lk_place(c, &f.culprits.v[0]),
                         lk_extern_at(c->snap, k->wait.on.v[0])->text);
    lk_finding_say(c, &f,
                   "each other request of this process waits for the one that asks, and it listens "
                   "in one place only; which of them serves what is asked was not read");
    f.safe_now = lk_capitalized(c, lk_end_process_words(c));
    f.safe_now = lk_with_kill(c, &f, f.safe_now);
    lk_finding_held_by(c, &f, a->v, a->n);
    if (lk_finding_file(c, &f))
        lk_explain_all(c, a->v, a->n);
}

void lk_find_asking_tasks(struct lk_rule_context *c)
{
    struct asking a = { 0 };
    find_asking(c, &a);
    if (!a.n || a.more || lk_tasks_may_be_missing(c) || !has_one_listener(c->snap))
        return;
    struct lk_ref server = first_held(c, &a);
    if (server.kind == LK_KIND_TASK)
        tell(c, &a, server);
}

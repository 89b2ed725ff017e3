/*
 * LK404: a request of this process waits for an answer to another request to this process, and no
 * worker is left to give it. Certain only where nobody else holds the asked socket, no timeout and
 * no supervisor ends the wait, and every thread that could accept is held up by it. Facts:
 * gunicorn's sync worker reports only between requests (gunicorn/workers/sync.py), so its arbiter
 * kills it.
 */
#include "diagnose/rules/finders.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/asking_tasks.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/long_waits.h"
#include "diagnose/rules/own_requests.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/ring_enders.h"
#include "diagnose/rules/rule_words.h"

static void say_sharer(struct lk_rule_context *c, struct lk_finding *f, const struct lk_sharer *x)
{
    static const char *const words[] = {
        [LK_SHARE_UNKNOWN] = "it may come to serve it",
        [LK_SHARE_SERVES] = "it accepts from it",
        [LK_SHARE_WAITS] = "its own requests all wait for the same listener",
        [LK_SHARE_IDLE] = "it has no request, and none of its threads accepts or polls there",
    };
    const char *does =
        (size_t)x->does < LK_ARRAY_LEN(words) ? words[x->does] : words[LK_SHARE_UNKNOWN];
    if (x->pid == LK_UNKNOWN)
        lk_finding_say(c, f, "not every process that may share the listener could be looked at");
    else if (x->examined)
        lk_finding_say(c, f, "process %lld (%s) holds the listener too: %s", (long long)x->pid,
                       x->comm, does);
    else
        lk_finding_say(c, f,
                       "listener shared with process %lld (%s), not examined: loopknot --tree %lld",
                       (long long)x->pid, x->comm,
                       (long long)(x->pid == c->snap->ppid ? x->pid
                                   : c->snap->ppid > 1     ? c->snap->ppid
                                                           : c->snap->pid));
}

static void say_shared(struct lk_rule_context *c, struct lk_finding *f, const struct lk_thread *t)
{
    if (!t->os.ends_at.n)
        lk_finding_say(
            c, f,
            "whether another process shares that listener and has a worker free is not known");
    for (size_t i = 0; i < t->os.ends_at.n; i++) {
        const struct lk_listener *l = lk_listener_of(c->snap, t->os.ends_at.v[i]);
        const char *what = t->os.far_fd == LK_UNKNOWN ? "listener" : "connection's other end";
        if (!l || l->alone == LK_TRI_UNKNOWN)
            lk_finding_say(c, f, "whether another process holds that %s could not be seen", what);
        else if (l->alone == LK_YES)
            lk_finding_say(c, f,
                           "no other process holds that %s (the descriptors of all processes that "
                           "may have it were read)",
                           what);
        for (size_t k = 0; l && k < l->sharers.n; k++)
            say_sharer(c, f, &l->sharers.v[k]);
    }
}

/* ---- certainty ----------------------------------------------------------------------- */

static bool is_held(const struct lk_rule_context *c, size_t thread)
{
    return c->mark[c->graph->first[LK_KIND_THREAD] + thread];
}

/* Only threads that are held up could accept this connection: nobody else has the listener at hand
 * or stands at it. */
static bool only_held_accept(const struct lk_rule_context *c, const struct lk_listener *l)
{
    bool held = false;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        bool near = lk_stands_at(t, l) || lk_has_listener(t, l);
        if (is_held(c, i))
            held |= near;
        else if (near || (t->python && !t->sockets_complete))
            return false;
    }
    return held;
}

/* The pool in whose queue the accepted connection stands, all of its workers held up; NONE. */
static struct lk_ref stuck_pool(const struct lk_rule_context *c, const struct lk_thread *t)
{
    for (size_t i = 0; i < c->snap->executors.n; i++) {
        const struct lk_executor *x = &c->snap->executors.v[i];
        bool queued = false, full = x->max_workers != LK_UNKNOWN && x->workers.n &&
                                    (int64_t)x->workers.n >= x->max_workers;
        for (size_t k = 0; k < x->n_items; k++)
            queued |= x->items[k].fd == t->os.far_fd;
        for (size_t k = 0; k < x->workers.n; k++)
            full &= lk_thread_at(c->snap, x->workers.v[k]) && is_held(c, x->workers.v[k].index);
        if (queued && full)
            return lk_ref_make(LK_KIND_EXECUTOR, i);
    }
    return (struct lk_ref){ LK_KIND_NONE, 0 };
}

/* The request that serves what this one asks, and is held up by those that ask; NONE. */
static struct lk_ref stuck_server(const struct lk_rule_context *c, struct lk_ref asking)
{
    struct lk_ref server = lk_server_of(c, asking);
    return server.kind != LK_KIND_NONE && c->mark[c->graph->first[server.kind] + server.index]
               ? server
               : (struct lk_ref){ LK_KIND_NONE, 0 };
}

/* ---- the chain through the request that serves what is asked ---------------------------- */

/* That it serves the connection is known by its frames, and is as sure as these. */
static struct lk_edge edge_to_server(const struct lk_rule_context *c, struct lk_ref asking,
                                     struct lk_ref server)
{
    const struct lk_thread *t = lk_thread_at(c->snap, asking), *s = lk_thread_at(c->snap, server);
    const struct lk_task *k = lk_task_at(c->snap, server);
    return (struct lk_edge){ .from = asking,
                             .to = server,
                             .why = "waits for the answer of",
                             .read = LK_MIN(t->read, s ? s->read : k->read),
                             .stable = t->stable && (s ? s->stable : k->stable) };
}

/* From the one that asks to the one that serves, and back; 0 where there is no way. e:
 * LK_MAX_CHAIN. c->mark. */
static size_t chain_of_server(const struct lk_rule_context *c, struct lk_ref asking,
                              struct lk_edge *e)
{
    struct lk_ref server = stuck_server(c, asking);
    size_t n = server.kind == LK_KIND_NONE ? 0
                                           : lk_graph_path_within(c->graph, server, asking, c->mark,
                                                                  e + 1, LK_MAX_CHAIN - 1);
    if (n == 0 || n >= LK_MAX_CHAIN)
        return 0;
    e[0] = edge_to_server(c, asking, server);
    return n + 1;
}

/* lk_trust_what_stays, and for what it asks for what it has found. */
static bool trust_chain(const struct lk_rule_context *c, struct lk_edge *e, size_t n)
{
    const struct lk_task *k = n ? lk_task_at(c->snap, e[0].to) : NULL;
    const bool only_alike = lk_trust_what_stays(c, e, n), racy = k && e[0].read == LK_READ_RACY,
               asks_asleep = n && lk_thread_at(c->snap, e[0].from)->read != LK_READ_RACY;
    if (racy && asks_asleep && (k->confirmed || k->stable))
        e[0].read = LK_READ_ASLEEP;
    return only_alike || (racy && !k->confirmed);
}

/* None of those that are held up has a timeout. c->mark. */
static bool all_wait_for_ever(const struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->graph->n_nodes; i++)
        if (c->mark[i] && c->graph->nodes[i].timeout_ms != LK_FOREVER)
            return false;
    return true;
}

/* Nobody can end it from outside, as a ring of waits (ring_enders.h). */
static bool is_closed(const struct lk_rule_context *c, struct lk_edge *e, size_t n)
{
    struct lk_wait_cycle k = { .chain = { .v = e, .n = n, .cap = n }, .n_cycle = n };
    k.left_ms = LK_FOREVER;
    k.held = all_wait_for_ever(c) ? c->mark : NULL;
    for (size_t i = 0; i < n; i++)
        k.timed |= lk_graph_node(c->graph, e[i].from)->timeout_ms != LK_FOREVER;
    lk_weigh_ring_enders(c, &k);
    return !k.timed && !k.callback && !k.enders_unread && k.watcher.kind == LK_KIND_NONE &&
           k.failing.kind == LK_KIND_NONE;
}

/* Looks again where the server's loop was awake each time. */
static bool is_served_in_vain(const struct lk_rule_context *c, struct lk_ref asking)
{
    struct lk_edge e[LK_MAX_CHAIN];
    const size_t n = chain_of_server(c, asking, e);
    const bool only_alike = trust_chain(c, e, n);
    if (!n || lk_others_have_it_too(c, asking, e[0].to) || !is_closed(c, e, n))
        return false;
    c->out->look_again.at_once |= only_alike;
    return !only_alike;
}

static bool is_unanswerable(const struct lk_rule_context *c, const struct lk_own_requests *v,
                            struct lk_ref asking)
{
    const struct lk_thread *t = lk_thread_at(c->snap, asking);
    if (lk_asked_shared_by(c, t) != LK_SHARED_NO_HELP)
        return false;
    if (t->os.far_fd != LK_UNKNOWN)
        return is_served_in_vain(c, asking) || stuck_pool(c, t).kind == LK_KIND_EXECUTOR;
    if (v->acceptor)
        return false;
    for (size_t i = 0; i < t->os.ends_at.n; i++)
        if (!only_held_accept(c, lk_listener_of(c->snap, t->os.ends_at.v[i])))
            return false;
    return true;
}

/* Beside a thread that has not begun to serve, any other that is not known to be idle may be about
 * to. */
static bool is_beside_others(const struct lk_rule_context *c, struct lk_ref thread)
{
    for (size_t i = 0; lk_is_before_serving(c, thread) && i < c->snap->threads.n; i++)
        if (c->snap->threads.v[i].python && !is_held(c, i) &&
            c->snap->threads.v[i].wait.kind != LK_WAIT_EXECUTOR_IDLE)
            return true;
    return false;
}

/* Whose supervisor kills workers that do not report, and may be told to do so where that cannot be
 * read. */
static bool may_be_killed(const struct lk_rule_context *c, const struct lk_thread *t)
{
    const int64_t limit = c->snap->supervisor_timeout_ms;
    if (limit != LK_UNKNOWN)
        return limit > 0;
    return lk_stack_has(t->python_stack, LK_MARK_WATCHED);
}

/* c->mark: who is held up by those that ask. A thread that moves beside them may be about to
 * accept; what is accepted already is none of its business. */
static bool is_certain(const struct lk_rule_context *c, const struct lk_own_requests *v)
{
    bool accepted = true;
    for (size_t i = 0; i < v->n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, v->asking[i]);
        accepted &= t->os.far_fd != LK_UNKNOWN;
        if (!t->stable || t->read < LK_READ_ASLEEP || !lk_seen_long_enough(c, t) ||
            may_be_killed(c, t) || is_beside_others(c, v->asking[i]) ||
            !is_unanswerable(c, v, v->asking[i]))
            return false;
    }
    return !v->timed && (accepted || !v->moving);
}

/* ---- the finding --------------------------------------------------------------------- */

/* Through the request that serves what is asked. */
static bool add_chain_of_server(struct lk_rule_context *c, struct lk_finding *f,
                                struct lk_ref thread)
{
    struct lk_edge e[LK_MAX_CHAIN];
    const size_t n = chain_of_server(c, thread, e);
    if (!n)
        return false;
    trust_chain(c, e, n);
    for (size_t i = 0; i < n; i++)
        lk_finding_part(c, f, e[i].to, e[i].to.kind == LK_KIND_THREAD);
    lk_finding_chain(c, f, e, n);
    return true;
}

/* From the request to what it waits for, and back to the worker. */
static void add_chain(struct lk_rule_context *c, struct lk_finding *f, const struct lk_thread *t,
                      struct lk_ref thread)
{
    struct lk_ref listener = t->wait.on.n ? t->wait.on.v[0] : (struct lk_ref){ LK_KIND_NONE, 0 };
    struct lk_ref pool = t->os.far_fd != LK_UNKNOWN && t->os.ends_at.n
                             ? stuck_pool(c, t)
                             : (struct lk_ref){ LK_KIND_NONE, 0 };
    if (add_chain_of_server(c, f, thread))
        return;
    bool by_pool = pool.kind == LK_KIND_EXECUTOR;
    if (!by_pool && !lk_extern_at(c->snap, listener))
        return;
    const struct lk_edge edges[] = {
        { .from = thread,
          .to = by_pool ? pool : listener,
          .why = by_pool ? "waits for an answer from a connection that stands in the queue of"
                         : "waits for the answer of",
          .read = t->read,
          .stable = t->stable },
        { .from = by_pool ? pool : listener,
          .to = thread,
          .why =
              by_pool ? "has no worker that does not wait like" : "has no other worker left than",
          .read = t->read,
          .stable = t->stable },
    };
    lk_finding_chain(c, f, edges, LK_ARRAY_LEN(edges));
}

static const char *what_ends_it(const struct lk_rule_context *c, const struct lk_own_requests *v,
                                const struct lk_finding *f)
{
    const int64_t killed = lk_killed_in(c, f->stuck_ms);
    if (v->left_ms != LK_UNKNOWN)
        return lk_print(c, "; a timeout ends it in %s at most", lk_duration(c, v->left_ms));
    if (v->timed)
        return "; a timeout may end it";
    if (killed != LK_UNKNOWN)
        return lk_print(c, "; its supervisor will kill this worker in %s", lk_duration(c, killed));
    return "";
}

static const char *safe_words(const struct lk_rule_context *c, const struct lk_own_requests *v,
                              const struct lk_finding *f)
{
    const char *end = lk_capitalized(c, lk_end_process_words(c));
    if (v->left_ms != LK_UNKNOWN)
        return lk_print(
            c, "It ends by itself in %s at most, when the timeout of the inner request runs out.",
            lk_duration(c, v->left_ms));
    return lk_with_kill(c, f, end);
}

static void watch_all(struct lk_rule_context *c, const struct lk_own_requests *v)
{
    /* A worker that is free in a moment is none: look again before saying anything. */
    for (size_t i = 0; i < v->n; i++)
        if (lk_may_stall(c, lk_thread_at(c->snap, v->asking[i])))
            lk_watch(c, v->asking[i]);
}

/* A thread beside those that ask which has the asked listener at hand, and would accept once it is
 * done; NONE. */
static struct lk_ref find_listener_holder(const struct lk_rule_context *c,
                                          const struct lk_thread *t)
{
    for (size_t i = 0; t->os.far_fd == LK_UNKNOWN && i < c->snap->threads.n; i++)
        for (size_t k = 0; k < t->os.ends_at.n && !is_held(c, i); k++) {
            const struct lk_listener *l = lk_listener_of(c->snap, t->os.ends_at.v[k]);
            if (l && lk_has_listener(&c->snap->threads.v[i], l))
                return lk_ref_make(LK_KIND_THREAD, i);
        }
    return (struct lk_ref){ LK_KIND_NONE, 0 };
}

static const char *why_no_answer(struct lk_rule_context *c, struct lk_ref asking,
                                 struct lk_ref holder, bool certain)
{
    const struct lk_thread *t = lk_thread_at(c->snap, asking), *x = lk_thread_at(c->snap, holder);
    struct lk_ref server = stuck_server(c, asking);
    const struct lk_task *k = lk_task_at(c->snap, server);
    if (k)
        return lk_print(c, "%s serves that, and awaits what comes only after it",
                        lk_name(c, server));
    if (server.kind == LK_KIND_THREAD)
        return lk_print(c, "%s serves that, and blocks in %s until this one goes on",
                        lk_name(c, server), lk_blocks_in(c, lk_thread_at(c->snap, server)));
    if (x)
        return lk_print(c, "%s, which would have to accept it, blocks in %s", lk_name(c, holder),
                        lk_blocks_in(c, x));
    return certain || lk_asked_shared_by(c, t) == LK_SHARED_NO_HELP
               ? "no worker is left to give it"
               : "no worker of it is left to give it, though another process may";
}

static void describe_requests(struct lk_rule_context *c, const struct lk_own_requests *v,
                              struct lk_finding *f, bool certain)
{
    const struct lk_thread *t = lk_thread_at(c->snap, v->asking[0]);
    struct lk_ref holder = find_listener_holder(c, t);
    const char *peer = t->os.peer ? t->os.peer : "its own address";
    const char *name = lk_name(c, v->asking[0]);
    const char *who =
        v->n > 1 ? lk_print(c, "%zu threads (%s and %zu more) serve requests and wait", v->n, name,
                            v->n - 1)
        : lk_serves_request(c, v->asking[0]) ? lk_print(c, "%s serves a request and waits", name)
        : lk_is_before_serving(c, v->asking[0])
            ? lk_print(c, "%s would have to accept its own connection, and waits", name)
            : lk_print(c, "%s runs the server's loop and waits", name);
    f->summary =
        lk_print(c, "%s in %s at %s for an answer from %s, which is this very process: %s%s", who,
                 lk_blocks_in(c, t), lk_place(c, &f->culprits.v[0]), peer,
                 why_no_answer(c, v->asking[0], holder, certain), what_ends_it(c, v, f));
    if (t->os.far_fd == LK_UNKNOWN)
        lk_finding_say(c, f, "nobody has accepted the connection%s",
                       certain ? ", and whoever would have to waits like this" : "");
    else
        lk_finding_say(
            c, f, "the other end of the connection is descriptor %lld of this process, and %s",
            (long long)t->os.far_fd,
            stuck_server(c, v->asking[0]).kind != LK_KIND_NONE ? "one request alone has it at hand"
            : certain ? "its request is queued for workers that all wait like this"
                      : "no other request was found at work");
    say_shared(c, f, t);
    f->safe_now = safe_words(c, v, f);
}

static void tell_requests(struct lk_rule_context *c, const struct lk_own_requests *v)
{
    const struct lk_thread *t = lk_thread_at(c->snap, v->asking[0]);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK404);
    bool old = true, plain = true, certain = is_certain(c, v);
    lk_finding_part(c, &f, v->asking[0], true);
    add_chain(c, &f, t, v->asking[0]);
    for (size_t i = 0; i < v->n; i++) {
        const struct lk_thread *a = lk_thread_at(c->snap, v->asking[i]);
        lk_finding_part(c, &f, v->asking[i], true);
        lk_finding_since(c, &f, a);
        old &= lk_is_stalled(c, a);
        plain &= lk_is_before_serving(c, v->asking[i]);
        if (a->read == LK_READ_RACY)
            lk_finding_doubt(&f, LK_POSSIBLE);
    }
    f.severity = certain && f.chain.n && f.confidence == LK_PROVEN ? LK_DEADLOCK
                 : old                                             ? LK_STALLED
                                                                   : LK_HAZARD;
    if (f.severity == LK_HAZARD || (plain && f.severity != LK_DEADLOCK)) {
        watch_all(c, v);
        lk_finding_drop(&f);
        return;
    }
    if (!certain)
        lk_finding_doubt(&f, LK_PROBABLE);
    describe_requests(c, v, &f, certain);
    lk_finding_held_by(c, &f, v->asking, v->n);
    if (lk_finding_file(c, &f))
        lk_explain_all(c, v->asking, v->n);
}

void lk_find_self_request(struct lk_rule_context *c)
{
    struct lk_own_requests v = { 0 };
    lk_find_own_requests(c, &v);
    if (v.n && !v.more && !lk_is_served_elsewhere(c, &v) && lk_nobody_is_left(c, &v))
        tell_requests(c, &v);
    lk_find_asking_tasks(c);
}

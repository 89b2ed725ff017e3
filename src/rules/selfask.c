/*
 * LK404: a request of this process waits for an answer to another request to this process, and no worker is left to
 * give it. Which worker will serve a connection that nobody accepted yet is the server's choice, so every worker is looked at.
 */
#include "rules/case.h"

#include <string.h>

#include "rules/patterns.h"

/* A server's threads, seen from one request that asks the server itself. */
struct servers {
    struct lk_ref asking[LK_MAX_LISTED]; /* requests that wait for this process */
    size_t n;
    bool more;     /* than there is room for: nothing is said */
    bool acceptor; /* a thread beside them may accept connections */
    bool others;   /* ... or might do anything else later */
    bool timed;
};

static bool is_this_process(const struct lk_thread *t)
{
    return t->os.peer_is && strcmp(t->os.peer_is, "this-process") == 0;
}

/* Waits for the answer to a request of its own to this process, on the request's stack. */
static bool asks_itself(const struct lk_case *c, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    return !c->explained[i] && t->in_request && t->wait.kind == LK_WAIT_IO && !t->running && is_this_process(t) &&
           !t->os.accepted && t->role == LK_ROLE_REQUEST;
}

/* A server that starts a thread for each connection is never short of one; a pool that is not full is not either. */
static bool can_grow(const struct lk_case *c, const struct lk_thread *t)
{
    const struct lk_pystack *st = t->python_stack;
    for (size_t i = 0; st && i < st->n; i++) {
        const struct lk_code *code = st->frames[i].code;
        if (code && strcmp(code->function, "process_request_thread") == 0)
            return true;
    }
    const struct lk_executor *x = lk_executor_at(c->snap, t->works_for);
    return x && (x->max_workers == LK_UNKNOWN || (int64_t)x->workers.n < x->max_workers);
}

/* A thread that is a worker without a request, or idles in the pool of one that has one. */
static bool is_free_worker(const struct lk_case *c, const struct servers *v, const struct lk_thread *t)
{
    if (!t->in_request && lk_stack_has(t->python_stack, LK_MARK_WORKER))
        return true;
    for (size_t i = 0; i < v->n && t->wait.kind == LK_WAIT_EXECUTOR_IDLE; i++) {
        const struct lk_thread *a = lk_thread_at(c->snap, v->asking[i]);
        if (a->works_for.kind == LK_KIND_EXECUTOR && lk_ref_eq(a->works_for, t->works_for))
            return true;
    }
    return false;
}

/* A thread that may be in the middle of accepting connections, or come back to it. */
static bool may_accept(const struct lk_thread *t)
{
    return t->running || t->moved || t->os.listening || t->os.on == LK_OS_SELECTOR || t->wait.kind == LK_WAIT_SELECTOR;
}

/* Whether the thread is none that could serve the request; notes what else it could do. c->mark: held up by those that ask. */
static bool is_no_help(const struct lk_case *c, struct servers *v, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    if (c->mark[c->graph->first[LK_KIND_THREAD] + i] || !t->python)
        return true;
    if (t->in_request || is_free_worker(c, v, t))
        return false;
    if (may_accept(t))
        v->acceptor = true;
    else if (t->wait.kind != LK_WAIT_EXECUTOR_IDLE)
        v->others = true;
    return true;
}

static void find_asking(const struct lk_case *c, struct servers *v)
{
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        if (!asks_itself(c, i))
            continue;
        if (v->n == LK_MAX_LISTED) {
            v->more = true;
            return;
        }
        const struct lk_thread *t = &c->snap->threads.v[i];
        v->asking[v->n++] = lk_ref_make(LK_KIND_THREAD, i);
        v->timed |= t->wait.timeout_ms != LK_FOREVER || (t->os.timeout_ms != LK_FOREVER && t->os.timeout_ms != LK_UNKNOWN);
    }
}

/* Marks those that ask and all that cannot go on before they do. */
static void mark_held_up(struct lk_case *c, const struct servers *v)
{
    lk_graph_held_up_by(c->graph, v->asking, v->n, c->mark);
    for (size_t i = 0; i < v->n; i++)
        c->mark[c->graph->first[LK_KIND_THREAD] + v->asking[i].index] = true;
}

/* True when no worker is left for any of them. */
static bool nobody_is_left(struct lk_case *c, struct servers *v)
{
    bool pool = false;
    for (size_t i = 0; i < v->n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, v->asking[i]);
        if (can_grow(c, t))
            return false;
        pool |= !t->main && lk_stack_has(t->python_stack, LK_MARK_WORKER);
    }
    mark_held_up(c, v);
    for (size_t i = 0; i < c->snap->threads.n; i++)
        if (!is_no_help(c, v, i))
            return false;
    /* A pool's requests are accepted by a thread of their own; beside a server of one thread, such a thread may be a second
     * server. */
    return !v->acceptor || pool;
}

static bool is_certain(const struct lk_case *c, const struct servers *v)
{
    for (size_t i = 0; i < v->n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, v->asking[i]);
        if (!t->stable || t->read < LK_READ_ASLEEP || !lk_seen_long_enough(c, t) || t->os.listener_alone != LK_YES)
            return false;
    }
    const int64_t limit = c->snap->supervisor_timeout_ms;
    return !v->timed && !v->acceptor && !v->others && (limit == LK_UNKNOWN || limit <= 0);
}

/* From the request to the listener it waits for, and back to the worker. */
static void add_chain(struct lk_case *c, struct lk_finding *f, const struct lk_thread *t, struct lk_ref thread)
{
    struct lk_ref listener = t->wait.on.n ? t->wait.on.v[0] : (struct lk_ref){ LK_KIND_NONE, 0 };
    if (!lk_extern_at(c->snap, listener))
        return;
    const struct lk_edge edges[] = {
        { .from = thread, .to = listener, .why = "waits for the answer of", .read = t->read, .stable = t->stable },
        { .from = listener, .to = thread, .why = "has no other worker left than", .read = t->read, .stable = t->stable },
    };
    lk_finding_chain(c, f, edges, LK_ARRAY_LEN(edges));
}

static void tell(struct lk_case *c, const struct servers *v)
{
    const struct lk_thread *t = lk_thread_at(c->snap, v->asking[0]);
    struct lk_finding f = lk_finding_start(c, "LK404");
    bool old = true;
    for (size_t i = 0; i < v->n; i++) {
        const struct lk_thread *a = lk_thread_at(c->snap, v->asking[i]);
        lk_finding_part(c, &f, v->asking[i], true);
        lk_finding_since(c, &f, a);
        old &= lk_is_stalled(c, a);
        if (a->read == LK_READ_RACY)
            lk_finding_doubt(&f, LK_POSSIBLE);
    }
    add_chain(c, &f, t, v->asking[0]);
    f.severity = is_certain(c, v) && f.chain.n && f.confidence == LK_PROVEN ? LK_DEADLOCK : old ? LK_STALLED : LK_HAZARD;
    if (f.severity == LK_HAZARD) {
        /* A worker that is free in a moment is none: look again before saying anything. */
        for (size_t i = 0; i < v->n; i++)
            if (lk_may_stall(c, lk_thread_at(c->snap, v->asking[i])))
                lk_watch(c, v->asking[i]);
        lk_finding_drop(&f);
        return;
    }
    const char *peer = t->os.peer ? t->os.peer : "its own address";
    const char *who = v->n == 1
                          ? lk_print(c, "%s serves a request", lk_name(c, v->asking[0]))
                          : lk_print(c, "%zu threads (%s and %zu more) serve requests", v->n, lk_name(c, v->asking[0]), v->n - 1);
    f.summary = lk_print(
        c, "%s and wait%s in %s at %s for an answer from %s, which is this very process: no worker is left to give it%s", who,
        v->n == 1 ? "s" : "", lk_blocks_in(c, t), lk_place(c, &f.culprits.v[0]), peer, v->timed ? "; a timeout ends it" : "");
    lk_finding_say(c, &f,
                   "the other end of the connection is a listener of this process, and every worker of it waits like this");
    if (t->os.listener_alone == LK_YES)
        lk_finding_say(c, &f, "no other process holds that listener");
    else
        lk_finding_say(c, &f, "whether another process shares that listener and has a worker free is not known");
    f.safe_now =
        v->timed ? "It ends by itself when the timeout of the inner request runs out." : lk_sentence(c, lk_end_process_words(c));
    lk_finding_held_by(c, &f, v->asking, v->n);
    if (lk_finding_file(c, &f))
        lk_explain_all(c, v->asking, v->n);
}

bool lk_someone_may_answer(struct lk_case *c, struct lk_ref thread)
{
    struct servers v = { .n = 0 };
    find_asking(c, &v);
    if (v.more)
        return false;
    if (v.n < LK_MAX_LISTED)
        v.asking[v.n++] = thread;
    mark_held_up(c, &v);
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        if (!c->mark[c->graph->first[LK_KIND_THREAD] + i] && t->python &&
            (t->in_request || is_free_worker(c, &v, t) || may_accept(t)))
            return true;
    }
    return false;
}

void lk_find_self_requests(struct lk_case *c)
{
    struct servers v = { .n = 0 };
    find_asking(c, &v);
    if (v.n && !v.more && nobody_is_left(c, &v))
        tell(c, &v);
}

/*
 * LK403: a server with too few workers, by the queue of its pool, of what limits its threads, or of
 * its listening socket. Facts: the length of an accept queue is the kernel's (idiag_rqueue of a
 * listener, net/ipv4/tcp_diag.c tcp_diag_get_info); that a worker stood still between the looks
 * only its scheduler record tells.
 */
#include "diagnose/rules/finders.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/accept_queue.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/own_requests.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"

/* A worker that sleeps at the same line in each look may have served a request in between: only the
 * scheduler's word says no. */
static bool stood_still(const struct lk_rule_context *c, const struct lk_thread *t)
{
    bool timed = t->wait.kind == LK_WAIT_SLEEP || t->wait.timeout_ms != LK_FOREVER ||
                 (t->os.timeout_ms != LK_FOREVER && t->os.timeout_ms != LK_UNKNOWN);
    return lk_is_stalled(c, t) && (t->stuck_by_scheduler || !timed);
}

/* What the workers wait for outside of the process. */
static void say_waits(struct lk_rule_context *c, struct lk_finding *f, const struct lk_ref *workers,
                      size_t n)
{
    enum { MOST = 4 };
    for (size_t i = 0; i < n && i < MOST; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, workers[i]);
        struct lk_ref on = t->wait.on.n ? t->wait.on.v[0] : lk_ref_make(LK_KIND_NONE, 0);
        if (lk_extern_at(c->snap, on) && t->wait.kind != LK_WAIT_SLEEP)
            lk_finding_say(c, f, "%s waits for %s in %s", lk_name(c, workers[i]), lk_name(c, on),
                           lk_blocks_in(c, t));
    }
}

/* ---- by a queue in the process --------------------------------------------------------- */

/* Threads that requests need, and what else waits for one of them. */
struct crew {
    struct lk_ref workers[LK_MAX_LISTED];
    size_t n;
    int64_t queued;
    enum lk_read read;
    bool old, explained, outside;
};

/* It serves a request, its own or that of a coroutine. */
static bool is_in_request(const struct lk_rule_context *c, struct lk_ref worker)
{
    if (lk_thread_at(c->snap, worker)->in_request)
        return true;
    if (!lk_serves_request(c, worker))
        return false;
    for (size_t i = 0; i < c->snap->tasks.n; i++)
        if (lk_is_request_task(c->snap, &c->snap->tasks.v[i]) &&
            lk_ref_eq(lk_worker_of(c, lk_ref_make(LK_KIND_TASK, i)), worker))
            return true;
    return false;
}

/* False when it may well finish a request soon. */
static bool add_worker(struct lk_rule_context *c, struct crew *w, struct lk_ref worker)
{
    const struct lk_thread *t = lk_thread_at(c->snap, worker);
    if (!t || t->running || w->n == LK_MAX_LISTED || !is_in_request(c, worker))
        return false;
    bool stalled = stood_still(c, t);
    if (!stalled && !lk_may_stall(c, t))
        return false;
    w->old &= stalled;
    w->explained &= c->explained[worker.index];
    /* LK406 says more of a coroutine's request than that there are others */
    w->outside &= !t->in_request && (t->wait.kind == LK_WAIT_IO || t->wait.kind == LK_WAIT_CHILD);
    w->workers[w->n++] = worker;
    return true;
}

/*
 * Every worker of a full pool serves a request and has stood still, not all of them for a reason
 * told already; true also when more watching could show it.
 */
static bool is_exhausted(struct lk_rule_context *c, struct lk_ref pool, struct crew *w)
{
    const struct lk_executor *x = lk_executor_at(c->snap, pool);
    *w = (struct crew){ .queued = x->queued, .read = x->read };
    w->old = w->explained = w->outside = true;
    if (x->queued == LK_UNKNOWN || x->queued <= 0 || (int64_t)x->workers.n < x->max_workers)
        return false;
    for (size_t i = 0; i < x->workers.n; i++) {
        const struct lk_ref who[] = { pool, x->workers.v[i] };
        if (add_worker(c, w, who[1]))
            continue;
        lk_rule_out(c, LK_RULE_LK403, who, 2,
                    is_in_request(c, who[1])
                        ? "work waits in the pool's queue, but a worker of it goes on"
                        : "work waits in the pool's queue, but a worker of it serves no request");
        return false;
    }
    return w->n && !w->explained && !w->outside;
}

/* The units of it are held by or for threads, each of which has stood still in a request (anyio's
 * limit of worker threads, which serve the views of starlette and FastAPI that are no coroutines).
 */
static bool is_used_up(struct lk_rule_context *c, const struct lk_lock *l, struct crew *w)
{
    *w = (struct crew){ .read = l->read };
    w->old = w->explained = w->outside = true;
    if (!l->units_all)
        return false;
    for (size_t i = 0; i < l->waiters.n; i++)
        w->queued += lk_task_at(c->snap, l->waiters.v[i]) &&
                     lk_is_request_task(c->snap, lk_task_at(c->snap, l->waiters.v[i]));
    for (size_t i = 0; i < l->likely_enders.n; i++)
        if (!add_worker(c, w, lk_worker_of(c, l->likely_enders.v[i])))
            return false;
    return w->n && w->queued && !w->explained && !w->outside;
}

static void tell_exhausted(struct lk_rule_context *c, const struct crew *w, struct lk_ref pool)
{
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK403);
    const struct lk_executor *x = lk_executor_at(c->snap, pool);
    for (size_t i = 0; i < w->n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, w->workers[i]);
        lk_finding_part(c, &f, w->workers[i], true);
        lk_finding_since(c, &f, t);
        if (t->read == LK_READ_RACY)
            lk_finding_doubt(&f, LK_POSSIBLE);
    }
    if (w->read == LK_READ_RACY)
        lk_finding_doubt(&f, LK_PROBABLE);
    f.severity = LK_STALLED;
    f.summary = lk_print(
        c, "%s of %s %s finished no request for %s while %s: the first is in %s at %s",
        w->n == 1   ? "the only worker"
        : w->n == 2 ? "both workers"
                    : lk_print(c, "all %zu workers", w->n),
        lk_name(c, pool), w->n == 1 ? "has" : "have", lk_duration(c, f.stuck_ms),
        lk_print(c, w->queued == 1 ? "%s waits in its queue" : "%s wait in its queue",
                 lk_count(c, w->queued, "request")),
        lk_blocks_in(c, lk_thread_at(c->snap, w->workers[0])), lk_place(c, &f.culprits.v[0]));
    if (x)
        lk_finding_say(c, &f,
                       "the pool has %s of at most %lld, each in a request, and %s in its queue",
                       lk_count(c, (int64_t)w->n, "worker"), (long long)x->max_workers,
                       lk_count(c, w->queued, "item"));
    else
        lk_finding_say(c, &f, "each of its %s is held for a thread at work, and %s wait%s for one",
                       lk_count(c, (int64_t)w->n, "unit"), lk_count(c, w->queued, "request"),
                       w->queued == 1 ? "s" : "");
    say_waits(c, &f, w->workers, w->n);
    f.safe_now = lk_capitalized(c, lk_end_process_words(c));
    lk_finding_held_by(c, &f, w->workers, w->n);
    if (lk_finding_file(c, &f))
        lk_explain_all(c, w->workers, w->n);
}

static void tell_or_watch(struct lk_rule_context *c, const struct crew *w, struct lk_ref pool)
{
    if (w->old)
        tell_exhausted(c, w, pool);
    for (size_t k = 0; !w->old && k < w->n; k++)
        lk_watch(c, w->workers[k]);
}

/* ---- LK403 by the accept queue -------------------------------------------------------- */

/* The requests of a server of which nobody is left that could accept what waits in its accept
 * queue. */
struct clogged {
    struct lk_ref workers[LK_MAX_LISTED];
    size_t n, keepers; /* keepers: of these, who wait for what a client sends next */
    bool old;          /* all have stood still for long enough */
};

/* Between two requests, with the listener at hand: whoever accepts in the same thread that reads
 * accepts nobody while a client keeps its connection and says nothing. */
static bool keeps_client(const struct lk_rule_context *c, const struct lk_thread *t,
                         const struct lk_listener *l)
{
    const struct lk_extern *e = t->wait.on.n == 1 ? lk_extern_at(c->snap, t->wait.on.v[0]) : NULL;
    return t->wait.kind == LK_WAIT_IO && t->os.accepted && e && e->client &&
           t->wait.timeout_ms == LK_FOREVER && t->os.timeout_ms == LK_FOREVER &&
           lk_has_listener(t, l);
}

static bool is_clogged(const struct lk_rule_context *c, const struct lk_listener *l,
                       struct clogged *ret)
{
    bool explained = true;
    *ret = (struct clogged){ .old = true };
    if (!l->listening || l->queue == LK_UNKNOWN || l->queue <= 0 || !lk_is_left_alone(l))
        return false;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        if (lk_stands_at(t, l) || lk_may_come_to_accept(t) ||
            (!t->in_request && lk_stack_has(t->python_stack, LK_MARK_WORKER)))
            return false;
        const bool keeps = !t->in_request && keeps_client(c, t, l);
        if (!t->in_request && !keeps)
            continue;
        bool stalled = stood_still(c, t);
        ret->keepers += keeps;
        if ((!stalled && !lk_may_stall(c, t)) || ret->n == LK_MAX_LISTED)
            return false;
        ret->old &= stalled;
        explained &= c->explained[i];
        ret->workers[ret->n++] = lk_ref_make(LK_KIND_THREAD, i);
    }
    /* a browser connects ahead of what it will ask */
    return ret->n && !explained && !(ret->keepers && l->asking == 0);
}

static void say_keepers(struct lk_rule_context *c, struct lk_finding *f,
                        const struct lk_listener *l)
{
    if (l->asking == LK_UNKNOWN)
        lk_finding_doubt(f, LK_POSSIBLE);
    else
        lk_finding_say(c, f, "%s of these %s sent something, which nobody reads",
                       lk_count(c, l->asking, "connection"), l->asking == 1 ? "has" : "have");
    f->remedy = "Serve each connection on a thread of its own (ThreadingHTTPServer, "
                "app.run(threaded=True)) or by a server that does not wait for one client at a "
                "time, and give connections a timeout (StreamRequestHandler.timeout, "
                "socket.settimeout), so that a client that says nothing keeps nobody.";
}

static void tell_clogged(struct lk_rule_context *c, const struct lk_listener *l,
                         const struct clogged *k)
{
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK403);
    for (size_t i = 0; i < k->n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, k->workers[i]);
        lk_finding_part(c, &f, k->workers[i], true);
        lk_finding_since(c, &f, t);
        if (t->read == LK_READ_RACY)
            lk_finding_doubt(&f, LK_POSSIBLE);
    }
    f.severity = LK_STALLED;
    f.summary = lk_print(
        c, "%s finished no request for %s while %s to be accepted at %s: %s in %s at %s",
        k->n == 1 ? lk_print(c, "%s, the only one that serves requests,", lk_name(c, k->workers[0]))
                  : lk_print(c, "all %zu threads that serve requests", k->n),
        lk_duration(c, f.stuck_ms),
        lk_print(c, l->queue == 1 ? "%s waits" : "%s wait", lk_count(c, l->queue, "connection")),
        l->address ? l->address : "the server's socket", k->n == 1 ? "it is" : "the first is",
        lk_blocks_in(c, lk_thread_at(c->snap, k->workers[0])), lk_place(c, &f.culprits.v[0]));
    f.summary = lk_capitalized(c, f.summary);
    lk_finding_say(
        c, &f,
        "%s in the accept queue of %s (the kernel's count), and no thread accepts from it or polls "
        "it",
        lk_print(c, l->queue == 1 ? "%s stands" : "%s stand", lk_count(c, l->queue, "connection")),
        l->address ? l->address : "the listening socket");
    for (size_t i = 0; i < l->sharers.n; i++)
        lk_finding_say(c, &f, "process %lld (%s) has the listener too, and does not accept from it",
                       (long long)l->sharers.v[i].pid, l->sharers.v[i].comm);
    say_waits(c, &f, k->workers, k->n);
    if (k->keepers)
        say_keepers(c, &f, l);
    const char *end = lk_end_process_words(c);
    f.safe_now = lk_with_kill(
        c, &f,
        k->keepers ? lk_print(c,
                              "It goes on when that client sends a request or closes its "
                              "connection. Or else %s",
                              end)
                   : lk_capitalized(c, end));
    lk_finding_held_by(c, &f, k->workers, k->n);
    f.held_requests += k->keepers && l->asking != LK_UNKNOWN ? l->asking : l->queue;
    if (lk_finding_file(c, &f))
        lk_explain_all(c, k->workers, k->n);
}

static void find_clogged(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->listeners.n; i++) {
        struct clogged k;
        if (!is_clogged(c, &c->snap->listeners.v[i], &k))
            continue;
        if (k.old)
            tell_clogged(c, &c->snap->listeners.v[i], &k);
        for (size_t w = 0; !k.old && w < k.n; w++)
            lk_watch(c, k.workers[w]);
    }
}

void lk_find_workers_exhausted(struct lk_rule_context *c)
{
    struct crew w;
    find_clogged(c);
    for (size_t i = 0; i < c->snap->executors.n; i++)
        if (is_exhausted(c, lk_ref_make(LK_KIND_EXECUTOR, i), &w))
            tell_or_watch(c, &w, lk_ref_make(LK_KIND_EXECUTOR, i));
    for (size_t i = 0; i < c->snap->locks.n; i++)
        if (is_used_up(c, &c->snap->locks.v[i], &w))
            tell_or_watch(c, &w, lk_ref_make(LK_KIND_LOCK, i));
}

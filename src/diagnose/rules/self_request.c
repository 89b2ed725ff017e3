/*
 * LK404: a request of this process waits for an answer to another request to this process, and no
 * worker is left to give it. Which worker will serve a connection that nobody accepted yet is the
 * server's choice, so every worker is looked at.
 */
#include "diagnose/rules/context.h"

#include <string.h>

#include "diagnose/catalog/frames.h"

/* A server's threads, seen from one request that asks the server itself. */
struct servers {
    struct lk_ref asking[LK_MAX_LISTED]; /* requests that wait for this process */
    size_t n;
    bool more;     /* than there is room for: nothing is said */
    bool acceptor; /* a thread beside them may accept connections */
    bool restless; /* a thread beside them ran when it was looked at: it may be about to */
    bool timed;
    int64_t left_ms; /* until the first timeout ends one of them; LK_UNKNOWN */
};

static bool is_this_process(const struct lk_thread *t)
{
    return t->os.peer_is && strcmp(t->os.peer_is, "this-process") == 0;
}

static const struct lk_listener *listener_of(const struct lk_snapshot *s, uint64_t inode)
{
    for (size_t i = 0; i < s->listeners.n; i++)
        if (s->listeners.v[i].inode == inode)
            return &s->listeners.v[i];
    return NULL;
}

bool lk_stands_at(const struct lk_thread *t, const struct lk_listener *l)
{
    for (size_t i = 0; i < l->fds.n; i++) {
        if (t->os.fd == l->fds.v[i])
            return true;
        for (size_t k = 0; k < t->os.fds.n; k++)
            if (t->os.fds.v[k] == l->fds.v[i])
                return true;
    }
    return false;
}

/* Code on the thread's stack, or the loop that it runs, has this socket at hand: it may come to
 * accept from it. */
static bool tends(const struct lk_thread *t, const struct lk_listener *l)
{
    for (size_t i = 0; i < l->fds.n; i++)
        for (size_t k = 0; k < t->n_sockets; k++)
            if (t->sockets[k] == l->fds.v[i])
                return true;
    return false;
}

static bool tends_what_it_asks(const struct lk_rule_context *c, const struct lk_thread *t)
{
    for (size_t i = 0; i < t->os.ends_at.n; i++) {
        const struct lk_listener *l = listener_of(c->snap, t->os.ends_at.v[i]);
        if (l && tends(t, l))
            return true;
    }
    return false;
}

/*
 * Waits for the answer to a request of its own to this process, on the request's stack; or blocks
 * in a callback of the very loop that would have to accept it, or with the listening socket at
 * hand, before it has begun to serve.
 */
static bool asks_itself(const struct lk_rule_context *c, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    if (c->explained[i] || t->wait.kind != LK_WAIT_IO || t->running || !is_this_process(t) ||
        t->os.accepted)
        return false;
    if (!t->os.peer) /* a pipe or a pair of sockets of its own: nothing that a server serves */
        return false;
    if (t->in_request)
        return t->role == LK_ROLE_REQUEST || t->role == LK_ROLE_LOOP;
    return tends_what_it_asks(c, t);
}

/* No server at work: a thread that has the listener at hand and connects to it. Told only when it
 * is certain. */
static bool is_plain(const struct lk_thread *t)
{
    return !t->in_request && t->role != LK_ROLE_LOOP;
}

/* A server that starts a thread for each connection is never short of one; a pool that is not full
 * is not either. */
static bool can_grow(const struct lk_rule_context *c, const struct lk_thread *t)
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
static bool is_free_worker(const struct lk_rule_context *c, const struct servers *v,
                           const struct lk_thread *t)
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

/* In a call that accepts or polls; of what is asked, where both are known. */
static bool polls(const struct lk_rule_context *c, const struct servers *v,
                  const struct lk_thread *t)
{
    bool selector = t->os.on == LK_OS_SELECTOR || t->wait.kind == LK_WAIT_SELECTOR;
    bool known = t->os.listening || t->os.fds.n > 0;
    if (!selector && !t->os.listening)
        return false;
    for (size_t i = 0; i < v->n; i++) {
        const struct lk_syscall_wait *os = &lk_thread_at(c->snap, v->asking[i])->os;
        known &= os->ends_at.n > 0;
        for (size_t k = 0; k < os->ends_at.n; k++) {
            const struct lk_listener *l = listener_of(c->snap, os->ends_at.v[k]);
            if (!l || lk_stands_at(t, l))
                return true;
        }
    }
    return !known;
}

/* A thread that may be in the middle of accepting connections, or come back to it. */
static bool may_accept(const struct lk_rule_context *c, const struct servers *v,
                       const struct lk_thread *t)
{
    return t->running || t->moved || polls(c, v, t);
}

/* Whether the thread is none that could serve the request; notes what else it could do. c->mark:
 * held up by those that ask. */
static bool is_no_help(const struct lk_rule_context *c, struct servers *v, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    if (c->mark[c->graph->first[LK_KIND_THREAD] + i] || !t->python)
        return true;
    if (t->in_request || is_free_worker(c, v, t))
        return false;
    v->acceptor |= may_accept(c, v, t);
    v->restless |= t->read == LK_READ_RACY || t->running;
    return true;
}

/* LK_UNKNOWN: there may be one. */
static void note_timeout(struct servers *v, int64_t ms)
{
    v->timed |= ms != LK_FOREVER;
    if (ms != LK_FOREVER && ms != LK_UNKNOWN)
        v->left_ms = v->left_ms == LK_UNKNOWN ? ms : LK_MIN(v->left_ms, ms);
}

static void find_asking(const struct lk_rule_context *c, struct servers *v)
{
    v->left_ms = LK_UNKNOWN;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        if (!asks_itself(c, i))
            continue;
        if (v->n == LK_MAX_LISTED) {
            v->more = true;
            return;
        }
        const struct lk_thread *t = &c->snap->threads.v[i];
        v->asking[v->n++] = lk_ref_make(LK_KIND_THREAD, i);
        note_timeout(v, t->wait.timeout_ms);
        if (t->os.timeout_ms != LK_UNKNOWN)
            note_timeout(v, t->os.left_ms != LK_UNKNOWN ? t->os.left_ms : t->os.timeout_ms);
    }
}

/* Marks those that ask and all that cannot go on before they do. */
static void mark_held_up(struct lk_rule_context *c, const struct servers *v)
{
    lk_graph_held_up_by(c->graph, v->asking, v->n, c->mark);
    for (size_t i = 0; i < v->n; i++)
        c->mark[c->graph->first[LK_KIND_THREAD] + v->asking[i].index] = true;
}

/* True when no worker is left for any of them. */
static bool nobody_is_left(struct lk_rule_context *c, struct servers *v)
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
    /* A pool's requests are accepted by a thread of their own; beside a server of one thread, such
     * a thread may be a second server. */
    return !v->acceptor || pool;
}

/* ---- other processes ----------------------------------------------------------------- */

/* What the processes that hold the asked sockets too allow to say. */
enum shared { SHARED_SERVED, SHARED_UNCLEAR, SHARED_NO_HELP };

static bool does_not_help(const struct lk_sharer *x)
{
    return x->examined && (x->does == LK_SHARE_IDLE || x->does == LK_SHARE_WAITS);
}

static enum shared shared_by(const struct lk_listener *l)
{
    enum shared ret = l->alone == LK_TRI_UNKNOWN ? SHARED_UNCLEAR : SHARED_NO_HELP;
    for (size_t i = 0; i < l->sharers.n; i++) {
        if (l->sharers.v[i].does == LK_SHARE_SERVES)
            return SHARED_SERVED;
        if (!does_not_help(&l->sharers.v[i]))
            ret = SHARED_UNCLEAR;
    }
    return ret;
}

/* All sockets in one of which a thread's connection may stand. */
static enum shared asked_shared_by(const struct lk_rule_context *c, const struct lk_thread *t)
{
    enum shared ret = t->os.ends_at.n ? SHARED_NO_HELP : SHARED_UNCLEAR;
    for (size_t i = 0; i < t->os.ends_at.n; i++) {
        const struct lk_listener *l = listener_of(c->snap, t->os.ends_at.v[i]);
        ret = LK_MIN(ret, l ? shared_by(l) : SHARED_UNCLEAR);
    }
    return ret;
}

static bool is_served_elsewhere(const struct lk_rule_context *c, const struct servers *v)
{
    for (size_t i = 0; i < v->n; i++)
        if (asked_shared_by(c, lk_thread_at(c->snap, v->asking[i])) == SHARED_SERVED)
            return true;
    return false;
}

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
        const struct lk_listener *l = listener_of(c->snap, t->os.ends_at.v[i]);
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
    bool tended = false;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        bool near = lk_stands_at(t, l) || tends(t, l);
        if (is_held(c, i))
            tended |= near;
        else if (near || (t->python && !t->sockets_complete))
            return false;
    }
    return tended;
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

static bool is_unanswerable(const struct lk_rule_context *c, const struct servers *v,
                            const struct lk_thread *t)
{
    if (asked_shared_by(c, t) != SHARED_NO_HELP)
        return false;
    if (t->os.far_fd != LK_UNKNOWN)
        return stuck_pool(c, t).kind == LK_KIND_EXECUTOR;
    if (v->acceptor)
        return false;
    for (size_t i = 0; i < t->os.ends_at.n; i++)
        if (!only_held_accept(c, listener_of(c->snap, t->os.ends_at.v[i])))
            return false;
    return true;
}

/* Beside a thread that has not begun to serve, any other that is not known to be idle may be about
 * to. */
static bool is_beside_others(const struct lk_rule_context *c, const struct lk_thread *t)
{
    for (size_t i = 0; is_plain(t) && i < c->snap->threads.n; i++)
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
    for (size_t i = 0; i < t->python_stack->n; i++) {
        const struct lk_code *code = t->python_stack->frames[i].code;
        if (code && lk_path_ends_with(code->file, "gunicorn/workers/sync.py"))
            return true;
    }
    return false;
}

/* c->mark: who is held up by those that ask. */
static bool is_certain(const struct lk_rule_context *c, const struct servers *v)
{
    for (size_t i = 0; i < v->n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, v->asking[i]);
        if (!t->stable || t->read < LK_READ_ASLEEP || !lk_seen_long_enough(c, t) ||
            may_be_killed(c, t) || is_beside_others(c, t) || !is_unanswerable(c, v, t))
            return false;
    }
    return !v->timed && !v->restless;
}

/* ---- the finding --------------------------------------------------------------------- */

/* From the request to what it waits for, and back to the worker. */
static void add_chain(struct lk_rule_context *c, struct lk_finding *f, const struct lk_thread *t,
                      struct lk_ref thread)
{
    struct lk_ref listener = t->wait.on.n ? t->wait.on.v[0] : (struct lk_ref){ LK_KIND_NONE, 0 };
    struct lk_ref pool = t->os.far_fd != LK_UNKNOWN && t->os.ends_at.n
                             ? stuck_pool(c, t)
                             : (struct lk_ref){ LK_KIND_NONE, 0 };
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

static const char *what_ends_it(const struct lk_rule_context *c, const struct servers *v,
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

static const char *safe_words(const struct lk_rule_context *c, const struct servers *v,
                              const struct lk_finding *f)
{
    const char *end = lk_capitalized(c, lk_end_process_words(c));
    if (v->left_ms != LK_UNKNOWN)
        return lk_print(
            c, "It ends by itself in %s at most, when the timeout of the inner request runs out.",
            lk_duration(c, v->left_ms));
    return lk_with_kill(c, f, end);
}

static void watch_all(struct lk_rule_context *c, const struct servers *v)
{
    /* A worker that is free in a moment is none: look again before saying anything. */
    for (size_t i = 0; i < v->n; i++)
        if (lk_may_stall(c, lk_thread_at(c->snap, v->asking[i])))
            lk_watch(c, v->asking[i]);
}

/* A thread beside those that ask which has the asked listener at hand, and would accept once it is
 * done; NONE. */
static struct lk_ref find_tender(const struct lk_rule_context *c, const struct lk_thread *t)
{
    for (size_t i = 0; t->os.far_fd == LK_UNKNOWN && i < c->snap->threads.n; i++)
        for (size_t k = 0; k < t->os.ends_at.n && !is_held(c, i); k++) {
            const struct lk_listener *l = listener_of(c->snap, t->os.ends_at.v[k]);
            if (l && tends(&c->snap->threads.v[i], l))
                return lk_ref_make(LK_KIND_THREAD, i);
        }
    return (struct lk_ref){ LK_KIND_NONE, 0 };
}

static const char *why_no_answer(struct lk_rule_context *c, const struct lk_thread *t,
                                 struct lk_ref tender, bool certain)
{
    const struct lk_thread *x = lk_thread_at(c->snap, tender);
    if (x)
        return lk_print(c, "%s, which would have to accept it, blocks in %s", lk_name(c, tender),
                        lk_blocks_in(c, x));
    return certain || asked_shared_by(c, t) == SHARED_NO_HELP
               ? "no worker is left to give it"
               : "no worker of it is left to give it, though another process may";
}

static void word(struct lk_rule_context *c, const struct servers *v, struct lk_finding *f,
                 bool certain)
{
    const struct lk_thread *t = lk_thread_at(c->snap, v->asking[0]);
    struct lk_ref tender = find_tender(c, t);
    const char *peer = t->os.peer ? t->os.peer : "its own address";
    const char *name = lk_name(c, v->asking[0]);
    const char *who =
        v->n > 1 ? lk_print(c, "%zu threads (%s and %zu more) serve requests and wait", v->n, name,
                            v->n - 1)
        : t->in_request ? lk_print(c, "%s serves a request and waits", name)
        : is_plain(t)   ? lk_print(c, "%s would have to accept its own connection, and waits", name)
                        : lk_print(c, "%s runs the server's loop and waits", name);
    f->summary =
        lk_print(c, "%s in %s at %s for an answer from %s, which is this very process: %s%s", who,
                 lk_blocks_in(c, t), lk_place(c, &f->culprits.v[0]), peer,
                 why_no_answer(c, t, tender, certain), what_ends_it(c, v, f));
    if (t->os.far_fd == LK_UNKNOWN)
        lk_finding_say(c, f, "nobody has accepted the connection%s",
                       certain ? ", and whoever would have to waits like this" : "");
    else
        lk_finding_say(c, f,
                       "the other end of the connection is descriptor %lld of this process, and %s",
                       (long long)t->os.far_fd,
                       certain ? "its request is queued for workers that all wait like this"
                               : "no other request was found at work");
    say_shared(c, f, t);
    f->safe_now = safe_words(c, v, f);
}

static void tell(struct lk_rule_context *c, const struct servers *v)
{
    const struct lk_thread *t = lk_thread_at(c->snap, v->asking[0]);
    struct lk_finding f = lk_finding_start(c, "LK404");
    bool old = true, plain = true, certain = is_certain(c, v);
    add_chain(c, &f, t, v->asking[0]);
    for (size_t i = 0; i < v->n; i++) {
        const struct lk_thread *a = lk_thread_at(c->snap, v->asking[i]);
        lk_finding_part(c, &f, v->asking[i], true);
        lk_finding_since(c, &f, a);
        old &= lk_is_stalled(c, a);
        plain &= is_plain(a);
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
    word(c, v, &f, certain);
    lk_finding_held_by(c, &f, v->asking, v->n);
    if (lk_finding_file(c, &f))
        lk_explain_all(c, v->asking, v->n);
}

bool lk_someone_may_answer(struct lk_rule_context *c, struct lk_ref thread)
{
    struct servers v = { 0 };
    find_asking(c, &v);
    if (v.more)
        return false;
    if (is_served_elsewhere(c, &v))
        return true;
    if (v.n < LK_MAX_LISTED)
        v.asking[v.n++] = thread;
    mark_held_up(c, &v);
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        if (!c->mark[c->graph->first[LK_KIND_THREAD] + i] && t->python &&
            (t->in_request || is_free_worker(c, &v, t) || may_accept(c, &v, t)))
            return true;
    }
    return false;
}

void lk_find_self_requests(struct lk_rule_context *c)
{
    struct servers v = { 0 };
    find_asking(c, &v);
    if (v.n && !v.more && !is_served_elsewhere(c, &v) && nobody_is_left(c, &v))
        tell(c, &v);
}

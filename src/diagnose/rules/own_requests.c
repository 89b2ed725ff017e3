/*
 * Requests of this process that wait for an answer from this very process, and who is left that
 * might give it: each thread of the server, and the processes that hold the asked socket too. Which
 * worker will serve a connection that nobody accepted yet is the server's choice, so every one is
 * looked at. Facts: which socket is the other end comes from the kernel's tables
 * (process/linux/socket_table.c).
 */
#include "diagnose/rules/own_requests.h"

#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/requests.h"

static bool is_this_process(const struct lk_thread *t)
{
    return t->os.peer_is == LK_PEER_SELF;
}

const struct lk_listener *lk_listener_of(const struct lk_snapshot *s, uint64_t inode)
{
    for (size_t i = 0; i < s->listeners.n; i++)
        if (s->listeners.v[i].inode == inode)
            return &s->listeners.v[i];
    return NULL;
}

/* Code on the thread's stack, or the loop that it runs, has this socket at hand: it may come to
 * accept from it. */
bool lk_has_listener(const struct lk_thread *t, const struct lk_listener *l)
{
    for (size_t i = 0; i < l->fds.n; i++)
        for (size_t k = 0; k < t->n_sockets; k++)
            if (t->sockets[k] == l->fds.v[i])
                return true;
    return false;
}

static bool has_what_it_asks(const struct lk_rule_context *c, const struct lk_thread *t)
{
    for (size_t i = 0; i < t->os.ends_at.n; i++) {
        const struct lk_listener *l = lk_listener_of(c->snap, t->os.ends_at.v[i]);
        if (l && lk_has_listener(t, l))
            return true;
    }
    return false;
}

/*
 * A worker that a request's task waits for (run_in_executor, anyio.to_thread). The server's loop
 * has accepted what it asks, and a task serves that.
 */
static bool asks_for_task(const struct lk_rule_context *c, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    return !t->in_request && t->role != LK_ROLE_LOOP && t->os.far_fd != LK_UNKNOWN &&
           lk_serves_request(c, lk_ref_make(LK_KIND_THREAD, i));
}

/*
 * Waits for the answer to a request of its own to this process, on the request's stack or on behalf
 * of one; or blocks in a callback of the very loop that would have to accept it, or with the
 * listening socket at hand, before it has begun to serve.
 */
static bool asks_itself(const struct lk_rule_context *c, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    if (c->explained[i] || t->wait.kind != LK_WAIT_IO || t->running || !is_this_process(t) ||
        t->os.accepted)
        return false;
    if (!t->os.peer) /* a pipe or a pair of sockets of its own: nothing that a server serves */
        return false;
    return t->in_request || asks_for_task(c, i) || has_what_it_asks(c, t);
}

/* No server at work: a thread that has the listener at hand and connects to it. Told only when it
 * is certain. */
bool lk_is_before_serving(const struct lk_rule_context *c, struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    return !t->in_request && t->role != LK_ROLE_LOOP && !asks_for_task(c, thread.index);
}

/* A server that starts a thread for each connection is never short of one; a pool that is not full
 * is not either. */
static bool can_grow(const struct lk_rule_context *c, const struct lk_thread *t)
{
    if (lk_stack_has(t->python_stack, LK_MARK_GROWS))
        return true;
    const struct lk_executor *x = lk_executor_at(c->snap, t->works_for);
    return x && (x->max_workers == LK_UNKNOWN || (int64_t)x->workers.n < x->max_workers);
}

/* A thread that is a worker without a request, or idles in the pool of one that has one. */
static bool is_free_worker(const struct lk_rule_context *c, const struct lk_own_requests *v,
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
static bool polls(const struct lk_rule_context *c, const struct lk_own_requests *v,
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
            const struct lk_listener *l = lk_listener_of(c->snap, os->ends_at.v[k]);
            if (!l || lk_stands_at(t, l))
                return true;
        }
    }
    return !known;
}

/* Whether all sockets that it has at hand are known, and none is a listener where what is asked
 * waits to be accepted: a loop of the application's own beside the server. */
static bool has_no_listener(const struct lk_rule_context *c, const struct lk_own_requests *v,
                            const struct lk_thread *t)
{
    for (size_t i = 0; i < v->n; i++) {
        const struct lk_syscall_wait *os = &lk_thread_at(c->snap, v->asking[i])->os;
        if (os->far_fd != LK_UNKNOWN || !os->ends_at.n)
            return false;
        for (size_t k = 0; k < os->ends_at.n; k++) {
            const struct lk_listener *l = lk_listener_of(c->snap, os->ends_at.v[k]);
            if (!l || !l->fds.n || lk_has_listener(t, l))
                return false;
        }
    }
    return t->sockets_complete;
}

/* A thread that may be in the middle of accepting connections, or come back to it. */
static bool may_accept(const struct lk_rule_context *c, const struct lk_own_requests *v,
                       const struct lk_thread *t)
{
    return t->running || (t->moved && !has_no_listener(c, v, t)) || polls(c, v, t);
}

/* Whether the thread is none that could serve the request; notes what else it could do. c->mark:
 * held up by those that ask. */
static bool is_no_help(const struct lk_rule_context *c, struct lk_own_requests *v, size_t i)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    if (c->mark[c->graph->first[LK_KIND_THREAD] + i] || !t->python)
        return true;
    if (t->in_request || is_free_worker(c, v, t))
        return false;
    v->acceptor |= may_accept(c, v, t);
    v->moving |= t->read == LK_READ_RACY || t->running || t->moved;
    return true;
}

/* LK_UNKNOWN: there may be one. */
static void note_timeout(struct lk_own_requests *v, int64_t ms)
{
    v->timed |= ms != LK_FOREVER;
    if (ms != LK_FOREVER && ms != LK_UNKNOWN)
        v->left_ms = v->left_ms == LK_UNKNOWN ? ms : LK_MIN(v->left_ms, ms);
}

void lk_find_own_requests(const struct lk_rule_context *c, struct lk_own_requests *v)
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
static void mark_held_up(struct lk_rule_context *c, const struct lk_own_requests *v)
{
    lk_graph_held_up_by(c->graph, v->asking, v->n, c->mark);
    for (size_t i = 0; i < v->n; i++)
        c->mark[c->graph->first[LK_KIND_THREAD] + v->asking[i].index] = true;
}

/*
 * A loop has accepted all that is asked, and tasks serve it. Each request that is a task is held up
 * by those that ask, and there are as many as they ask for beside those that they work for.
 */
static bool only_held_tasks_serve(const struct lk_rule_context *c, const struct lk_own_requests *v)
{
    const size_t first = c->graph->first[LK_KIND_TASK];
    size_t held = 0, needed = v->n;
    if (lk_tasks_may_be_missing(c))
        return false;
    for (size_t i = 0; i < v->n; i++) {
        if (lk_thread_at(c->snap, v->asking[i])->os.far_fd == LK_UNKNOWN)
            return false;
        needed += asks_for_task(c, v->asking[i].index);
    }
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        if (!lk_is_request_task(c->snap, &c->snap->tasks.v[i]))
            continue;
        if (!c->mark[first + i])
            return false;
        held++;
    }
    return held >= needed;
}

static bool has_socket(const struct lk_thread *t, int64_t fd)
{
    for (size_t i = 0; i < t->n_sockets; i++)
        if (t->sockets[i] == fd)
            return true;
    return false;
}

static bool is_at_request(const struct lk_thread *t)
{
    return t->in_request && t->role == LK_ROLE_REQUEST;
}

/* It waits for connections or for work: what it has at hand is what it had last, as the acceptor's
 * variable of the connection that it has handed on. */
static bool is_between_requests(const struct lk_thread *t)
{
    return !t->in_request && !t->running &&
           (t->os.listening || t->os.on == LK_OS_SELECTOR || t->wait.kind == LK_WAIT_SELECTOR ||
            t->wait.kind == LK_WAIT_QUEUE_GET || t->wait.kind == LK_WAIT_EXECUTOR_IDLE);
}

/* The one request's thread whose code has the descriptor at hand; NONE. */
static struct lk_ref serving_thread(const struct lk_rule_context *c, struct lk_ref asking,
                                    int64_t fd)
{
    const struct lk_ref none = { LK_KIND_NONE, 0 };
    struct lk_ref server = none;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        if (!has_socket(t, fd) || is_between_requests(t))
            continue;
        /* What several have is in a table of the server's. */
        if (server.kind == LK_KIND_THREAD || !is_at_request(t) || i == asking.index)
            return none;
        server = lk_ref_make(LK_KIND_THREAD, i);
    }
    return server;
}

bool lk_others_have_it_too(const struct lk_rule_context *c, struct lk_ref asking,
                           struct lk_ref server)
{
    const int64_t fd = lk_thread_at(c->snap, asking)->os.far_fd;
    for (size_t i = 0; server.kind == LK_KIND_THREAD && i < c->snap->threads.n; i++)
        if (i != server.index && has_socket(&c->snap->threads.v[i], fd))
            return true;
    return false;
}

/* It reads what the client sends next: the server's task for the connection. */
static bool reads_client(const struct lk_rule_context *c, struct lk_ref task)
{
    const struct lk_task *k = lk_task_at(c->snap, task);
    const struct lk_extern *e = k->wait.on.n == 1 ? lk_extern_at(c->snap, k->wait.on.v[0]) : NULL;
    return k->wait.kind == LK_WAIT_IO && e && e->client && !k->ready &&
           lk_graph_node(c->graph, task)->timeout_ms == LK_FOREVER;
}

/* No thread but the loop's own has it at hand, or can act; and that one comes back to its selector,
 * so that what has arrived was looked at. */
static bool is_left_to_loop(const struct lk_rule_context *c, struct lk_ref task, int64_t fd)
{
    const struct lk_loop *o = lk_loop_at(c->snap, lk_task_at(c->snap, task)->loop);
    const struct lk_thread *t = o ? lk_thread_at(c->snap, o->thread) : NULL;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *other = &c->snap->threads.v[i];
        const bool held = c->mark[c->graph->first[LK_KIND_THREAD] + i],
                   may_have = other->python && !other->sockets_complete && !held;
        if (t != other && (has_socket(other, fd) || may_have))
            return false;
    }
    return t && (t->wait.kind == LK_WAIT_SELECTOR || t->moved);
}

/* The request's task whose frames have the connection nearest; NONE where another one has it as
 * near. */
static struct lk_ref serving_task(const struct lk_rule_context *c, int64_t fd)
{
    const struct lk_ref none = { LK_KIND_NONE, 0 };
    const struct lk_served_connection *v = NULL;
    size_t at = 0;
    for (size_t i = 0; i < c->snap->served_connections.n && !v; i++)
        if (c->snap->served_connections.v[i].fd == fd)
            v = &c->snap->served_connections.v[i];
    while (v && at < v->n_by && !lk_has_request_entry(lk_task_at(c->snap, v->by[at].task)))
        if (!reads_client(c, v->by[at++].task))
            return none;
    if (!v || at == v->n_by || v->by[at].far > v->seen_to || lk_tasks_may_be_missing(c))
        return none;
    for (size_t i = at + 1; i < v->n_by && v->by[i].far == v->by[at].far; i++)
        if (!reads_client(c, v->by[i].task))
            return none;
    return is_left_to_loop(c, v->by[at].task, fd) ? v->by[at].task : none;
}

struct lk_ref lk_server_of(const struct lk_rule_context *c, struct lk_ref asking)
{
    const int64_t fd = lk_thread_at(c->snap, asking)->os.far_fd;
    const struct lk_ref none = { LK_KIND_NONE, 0 };
    if (fd == LK_UNKNOWN)
        return none;
    struct lk_ref thread = serving_thread(c, asking, fd);
    return thread.kind == LK_KIND_THREAD ? thread : serving_task(c, fd);
}

/* What each of them asks is being served, by a request that cannot go on before they do. c->mark.
 */
static bool held_requests_serve(const struct lk_rule_context *c, const struct lk_own_requests *v)
{
    for (size_t i = 0; i < v->n; i++) {
        struct lk_ref server = lk_server_of(c, v->asking[i]);
        if (server.kind == LK_KIND_NONE || !c->mark[c->graph->first[server.kind] + server.index])
            return false;
    }
    return v->n > 0;
}

/* True when no worker is left for any of them. */
bool lk_nobody_is_left(struct lk_rule_context *c, struct lk_own_requests *v)
{
    bool pool = false;
    mark_held_up(c, v);
    if (held_requests_serve(c, v))
        return true;
    for (size_t i = 0; i < v->n; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, v->asking[i]);
        if (can_grow(c, t))
            return false;
        pool |= !t->main && lk_stack_has(t->python_stack, LK_MARK_WORKER);
    }
    for (size_t i = 0; i < c->snap->threads.n; i++)
        if (!is_no_help(c, v, i))
            return false;
    /* A pool's requests are accepted by a thread of their own; beside a server of one thread, such
     * a thread may be a second server. What a loop has accepted is its tasks' matter. */
    return asks_for_task(c, v->asking[0].index) || (v->acceptor && !pool)
               ? only_held_tasks_serve(c, v)
               : true;
}

/* ---- other processes ----------------------------------------------------------------- */

static bool does_not_help(const struct lk_sharer *x)
{
    return x->examined && (x->does == LK_SHARE_IDLE || x->does == LK_SHARE_WAITS);
}

static enum lk_shared shared_by(const struct lk_listener *l)
{
    enum lk_shared ret = l->alone == LK_TRI_UNKNOWN ? LK_SHARED_UNCLEAR : LK_SHARED_NO_HELP;
    for (size_t i = 0; i < l->sharers.n; i++) {
        if (l->sharers.v[i].does == LK_SHARE_SERVES)
            return LK_SHARED_SERVED;
        if (!does_not_help(&l->sharers.v[i]))
            ret = LK_SHARED_UNCLEAR;
    }
    return ret;
}

/* All sockets in one of which a thread's connection may stand. */
enum lk_shared lk_asked_shared_by(const struct lk_rule_context *c, const struct lk_thread *t)
{
    enum lk_shared ret = t->os.ends_at.n ? LK_SHARED_NO_HELP : LK_SHARED_UNCLEAR;
    for (size_t i = 0; i < t->os.ends_at.n; i++) {
        const struct lk_listener *l = lk_listener_of(c->snap, t->os.ends_at.v[i]);
        ret = LK_MIN(ret, l ? shared_by(l) : LK_SHARED_UNCLEAR);
    }
    return ret;
}

bool lk_is_served_elsewhere(const struct lk_rule_context *c, const struct lk_own_requests *v)
{
    for (size_t i = 0; i < v->n; i++)
        if (lk_asked_shared_by(c, lk_thread_at(c->snap, v->asking[i])) == LK_SHARED_SERVED)
            return true;
    return false;
}

/* A thread that has the other end at hand, and something is known to end what it waits for. */
static bool answers_in_time(const struct lk_rule_context *c, size_t i, int64_t fd)
{
    const enum lk_life life = lk_graph_node(c->graph, lk_ref_make(LK_KIND_THREAD, i))->life;
    const struct lk_thread *t = &c->snap->threads.v[i];
    return has_socket(t, fd) && !is_between_requests(t) && life != LK_LIFE_DEAD &&
           life != LK_LIFE_OPEN;
}

bool lk_someone_may_answer(struct lk_rule_context *c, struct lk_ref thread)
{
    const int64_t fd = lk_thread_at(c->snap, thread)->os.far_fd;
    const bool accepted = fd != LK_UNKNOWN; /* no idle worker of a crew is going to get it */
    struct lk_own_requests v = { 0 };
    lk_find_own_requests(c, &v);
    if (v.more)
        return false;
    if (lk_is_served_elsewhere(c, &v))
        return true;
    if (v.n < LK_MAX_LISTED)
        v.asking[v.n++] = thread;
    mark_held_up(c, &v);
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        if (!c->mark[c->graph->first[LK_KIND_THREAD] + i] && t->python &&
            (t->in_request || (accepted ? answers_in_time(c, i, fd) : is_free_worker(c, &v, t)) ||
             (may_accept(c, &v, t) && !lk_thread_is_unread(t))))
            return true;
    }
    return false;
}

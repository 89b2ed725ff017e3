/*
 * LK406: a request (a thread or a task), or a caller's wait for a result, that is held up by
 * something outside of the process, with no timeout in its chain. Waiting for a client, for the
 * next message or for input is what servers do, and none of it.
 */
#include "diagnose/rules/finders.h"

#include <stdlib.h>
#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/catalog/services.h"
#include "diagnose/rules/cross_process_waits.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/long_waits.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"
#include "util/text.h"

/* ---- where a chain of waits ends ------------------------------------------------------ */

static bool is_outside(const struct lk_extern *e)
{
    return e && (e->kind == LK_EXT_OUTSIDE || e->kind == LK_EXT_CHILD || e->kind == LK_EXT_FILE);
}

static bool ends_at_child(const struct lk_snapshot *s, struct lk_ref end)
{
    const struct lk_extern *e = lk_extern_at(s, end);
    return e && e->kind == LK_EXT_CHILD;
}

/* A thread or task in I/O for which nothing outside was named. */
static bool waits_nameless(const struct lk_graph *g, const struct lk_node *n)
{
    const struct lk_thread *t = lk_thread_at(g->snap, n->ref);
    const struct lk_task *k = lk_task_at(g->snap, n->ref);
    enum lk_wait_kind kind = t ? t->wait.kind : k ? k->wait.kind : LK_WAIT_NONE;
    return (kind == LK_WAIT_IO || kind == LK_WAIT_CHILD) && n->n_edges == n->n_must &&
           n->base == LK_LIFE_EXTERN;
}

/* The end of a chain. */
static bool is_external_end(const struct lk_graph *g, const struct lk_node *n, void *arg)
{
    (void)arg;
    return is_outside(lk_extern_at(g->snap, n->ref)) || waits_nameless(g, n);
}

/* The other end is this process's own: a connection to one of its listeners, a pipe, a pair of
 * sockets. */
static bool is_to_itself(const struct lk_thread *t)
{
    return t->os.peer_is == LK_PEER_SELF;
}

/* Waiting for a client, for the next message or for input is what servers do. */
static bool is_idle_io(const struct lk_thread *t, bool in_request)
{
    const struct lk_syscall_wait *os = &t->os;
    if (t->wait.kind != LK_WAIT_IO)
        return false;
    return os->accepted || os->listening || os->on == LK_OS_SIGNAL ||
           (os->fd == 0 && os->on != LK_OS_SOCKET) || (os->on == LK_OS_SELECTOR && !in_request) ||
           (os->path &&
            (lk_starts_with(os->path, "/dev/tty") || lk_starts_with(os->path, "/dev/pts/"))) ||
           (is_to_itself(t) && (os->peer || !in_request));
}

/* A chain from a waiting thread or task to what it waits for outside. */
struct chain {
    struct lk_edge e[LK_MAX_CHAIN];
    size_t n;
    struct lk_ref last; /* the party that waits for the outside: a thread or task */
    struct lk_ref end;  /* the extern; NONE when only the system call is known */
    bool timed;
    bool only_alike; /* a link was read while its thread ran, each time alike */
};

/* For the result of a job of a task queue: whatever connection it polls, that one is not to blame.
 */
static bool waits_for_job(const struct lk_thread *t)
{
    return t && (t->wait.traits & LK_WAIT_FOR_JOB);
}

static void note_end(const struct lk_rule_context *c, struct chain *x, struct lk_ref thread)
{
    x->last = thread;
    x->timed = lk_graph_node(c->graph, thread)->timeout_ms != LK_FOREVER;
    for (size_t i = 0; i < x->n; i++) {
        const struct lk_node *to = lk_graph_node(c->graph, x->e[i].to);
        x->timed |= to->timeout_ms != LK_FOREVER;
        if (to->ref.kind == LK_KIND_THREAD || to->ref.kind == LK_KIND_TASK)
            x->last = to->ref;
        if (to->ref.kind == LK_KIND_EXTERN)
            x->end = to->ref;
    }
    const struct lk_thread *t = lk_thread_at(c->snap, x->last);
    x->timed |= t && !(t->wait.traits & LK_WAIT_POLLS) && t->os.timeout_ms != LK_FOREVER &&
                t->os.timeout_ms != LK_UNKNOWN;
}

/*
 * What a request has asked another thread for, by a queue or otherwise, that thread has as its work
 * (snapshot.h, worked_on_by). Any code may give the answer, so that the graph leaves the wait open;
 * who works on it is known to wait outside.
 */
static bool find_work(const struct lk_rule_context *c, struct lk_ref thread, struct chain *x)
{
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    const struct lk_ref asked = t && t->wait.on.n == 1 ? t->wait.on.v[0] : thread;
    const struct lk_lock *l = lk_lock_at(c->snap, asked);
    const struct lk_thread *worker = l ? lk_thread_at(c->snap, l->worked_on_by) : NULL;
    const struct lk_node *n = worker ? lk_graph_node(c->graph, l->worked_on_by) : NULL;
    if (!t || !n || n->life != LK_LIFE_EXTERN)
        return false;
    x->e[0] =
        (struct lk_edge){ thread, asked, "waits for an answer at", t->wait.read, false, t->stable };
    x->e[1] = (struct lk_edge){ asked, l->worked_on_by, "which is the work of", worker->read,
                                true,  worker->stable };
    x->n =
        lk_graph_path(c->graph, l->worked_on_by, is_external_end, NULL, x->e + 2, LK_MAX_CHAIN - 2);
    if (x->n > LK_MAX_CHAIN - 2 || (!x->n && !is_external_end(c->graph, n, NULL)))
        return false;
    x->n += 2;
    note_end(c, x, thread);
    return true;
}

static bool find_chain(const struct lk_rule_context *c, struct lk_ref thread, struct chain *x)
{
    const struct lk_node *n = lk_graph_node(c->graph, thread);
    memset(x, 0, sizeof *x);
    if (n->life == LK_LIFE_OPEN)
        return find_work(c, thread, x);
    if (n->life != LK_LIFE_EXTERN)
        return false;
    x->n = lk_graph_path(c->graph, thread, is_external_end, NULL, x->e, LK_MAX_CHAIN);
    if (x->n > LK_MAX_CHAIN || (!x->n && !is_external_end(c->graph, n, NULL)))
        return false;
    note_end(c, x, thread);
    return true;
}

/* ---- words ---------------------------------------------------------------------------- */

/* What else is known of the other end: who has it, and that there is none yet. */
static const char *more_of_end(const struct lk_rule_context *c, const struct lk_thread *t)
{
    if (waits_for_job(t))
        return "";
    if (t && t->os.connecting)
        return " (still connecting)";
    if (t && t->os.peer_pid > 0 && t->wait.kind == LK_WAIT_CHILD)
        return lk_print(c, " (%s)", t->os.peer_comm ? t->os.peer_comm : "?");
    if (t && t->os.peer_pid > 0 && t->os.child_pid <= 0)
        return lk_print(c, " (held by process %lld (%s))", (long long)t->os.peer_pid,
                        t->os.peer_comm ? t->os.peer_comm : "?");
    return t && is_to_itself(t) ? " (of which this very process has the other end)" : "";
}

static const char *name_child(const struct lk_rule_context *c, int64_t pid)
{
    for (size_t i = 0; i < c->snap->children.n; i++)
        if (c->snap->children.v[i].pid == pid && c->snap->children.v[i].comm)
            return lk_print(c, "child process %lld (%s)", (long long)pid,
                            c->snap->children.v[i].comm);
    return lk_print(c, "child process %lld", (long long)pid);
}

static const char *name_plain_end(const struct lk_rule_context *c, const struct chain *x)
{
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    const struct lk_thread *t = lk_thread_at(c->snap, x->last);
    if (t && t->os.child_pid != LK_UNKNOWN && t->os.child_pid > 0)
        return name_child(c, t->os.child_pid);
    if (e && e->text && *e->text)
        return e->text;
    if (t && t->os.peer)
        return t->os.fd != LK_UNKNOWN ? lk_print(c, "%s (fd %lld)", t->os.peer, (long long)t->os.fd)
                                      : t->os.peer;
    if (t && t->os.path)
        return t->os.path;
    if (t && t->os.fd != LK_UNKNOWN)
        return lk_print(c, "file descriptor %lld", (long long)t->os.fd);
    return "something outside of this process";
}

static const char *name_end(const struct lk_rule_context *c, const struct chain *x)
{
    const char *more = more_of_end(c, lk_thread_at(c->snap, x->last));
    return *more ? lk_print(c, "%s%s", name_plain_end(c, x), more) : name_plain_end(c, x);
}

/* last: the thread that waits for the outside; NULL when it is a task. */
static const char *how_to_free_it(const struct lk_rule_context *c, const struct lk_thread *last,
                                  const char *end)
{
    return waits_for_job(last) ? lk_capitalized(c, lk_end_process_words(c))
           : last && last->os.child_pid != LK_UNKNOWN && last->os.child_pid > 0
               ? lk_print(c, "kill -TERM %lld (the child) ends the wait.",
                          (long long)last->os.child_pid)
           : last && is_to_itself(last) ? lk_capitalized(c, lk_end_process_words(c))
           : last && last->os.peer_pid > 0 && last->os.on != LK_OS_SOCKET
               ? lk_print(c, "kill -TERM %lld (%s, which has the other end) ends the wait.",
                          (long long)last->os.peer_pid,
                          last->os.peer_comm ? last->os.peer_comm : "the process")
               : lk_print(c,
                          "The wait ends when %s answers or closes; ending the peer's side "
                          "frees it without a restart.",
                          end);
}

/* A task that awaits a task of the chain with a timeout ends the wait. */
static bool goes_through_task(const struct lk_rule_context *c, const struct chain *x)
{
    for (size_t i = 0; i < x->n; i++)
        if (lk_task_at(c->snap, x->e[i].to))
            return true;
    return false;
}

/* The child writes into a full pipe that this process was to read: each waits for the other. */
static const char *filled_pipe(const struct lk_rule_context *c, const struct chain *x,
                               const struct lk_thread *last)
{
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    return e && last && last->wait.kind == LK_WAIT_CHILD && e->kind == LK_EXT_CHILD ? e->fills
                                                                                    : NULL;
}

static void say_filled(struct lk_rule_context *c, struct lk_finding *f, const char *pipe)
{
    lk_finding_say(
        c, f,
        "the child is blocked in a write to %s, which is full and whose reading end this "
        "process has: it ends only when that is read, and that is to be done after its "
        "end",
        pipe);
    f->remedy = "Read what the child writes before waiting for its end: communicate(), or read to "
                "the end and then wait(); drain a queue before join(). Or give the child no pipe "
                "(stdout=subprocess.DEVNULL, a file).";
}

static const struct lk_pystack *stack_of(const struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(c->snap, r);
    const struct lk_task *k = lk_task_at(c->snap, r);
    return t ? t->python_stack : k ? k->stack : NULL;
}

/* A job of a task queue that waits for the result of another one. */
static bool is_job_in_job(const struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(c->snap, r);
    const struct lk_task *k = lk_task_at(c->snap, r);
    const struct lk_wait *w = t ? &t->wait : k ? &k->wait : NULL;
    return w && (w->traits & LK_WAIT_FOR_JOB) && lk_stack_has(stack_of(c, r), LK_MARK_JOB);
}

static const char *what_is_held_up(const struct lk_rule_context *c, const struct lk_wait_group *g)
{
    const struct lk_thread *t = lk_thread_at(c->snap, g->who[0]);
    const bool request = !t || lk_is_request_thread(c->snap, t);
    if (request && t && !t->in_request)
        return g->n > 1 ? "what they run is" : "what it runs is";
    return g->n > 1 ? (request ? "the requests they serve are" : "their waits for results are")
                    : (request ? "the request it serves is" : "its wait for a result is");
}

/* Where who waits has code of the project's own, that is told; else whom it waits through. */
static bool is_told_by_itself(const struct lk_rule_context *c, const struct lk_wait_group *g,
                              const struct chain *x)
{
    return lk_ref_eq(x->last, g->who[0]) || lk_is_project(c, g->who[0]);
}

/* "Thread x [4711] blocks in socket.recv() at ask (app.py:10)", "... waits through task Task-1
 * (ask) at ask (app.py:10)". */
static const char *who_waits(const struct lk_rule_context *c, const struct lk_wait_group *g,
                             const struct lk_finding *f, const struct chain *x)
{
    const struct lk_thread *t = lk_thread_at(c->snap, g->who[0]);
    const struct lk_culprit own = lk_culprit_of(c, g->who[0]);
    const char *s = g->n == 1 ? "s" : "";
    const char *place = lk_place(c, lk_is_project(c, g->who[0]) ? &own : &f->culprits.v[0]);
    if (!is_told_by_itself(c, g, x))
        return lk_print(c, "%s wait%s through %s at %s", lk_wait_group_who(c, g), s,
                        lk_name(c, x->last), place);
    return t ? lk_print(c, "%s block%s in %s at %s", lk_wait_group_who(c, g), s, lk_blocks_in(c, t),
                        place)
             : lk_print(c, "%s wait%s at %s", lk_wait_group_who(c, g), s, place);
}

/* ", through task Task-1 (ask) at ask (app.py:10)," */
static const char *by_way_of(const struct lk_rule_context *c, const struct lk_wait_group *g,
                             const struct chain *x)
{
    if (lk_ref_eq(x->last, g->who[0]) || !is_told_by_itself(c, g, x))
        return "";
    const struct lk_culprit last = lk_culprit_of(c, x->last);
    return lk_print(c, ", through %s%s,", lk_name(c, x->last),
                    lk_is_project(c, x->last) ? lk_print(c, " at %s", lk_place(c, &last)) : "");
}

/* ---- a server that keeps things for its connections ------------------------------------ */

enum { MAX_OWN = 8 }; /* connections told */

/** What is known of the server that is waited for. */
struct server {
    const struct lk_service *kind;                /* NULL: not known, nor what it keeps */
    const char *peer, *local;                     /* the connection that is waited on; NULL */
    const struct lk_own_connection *own[MAX_OWN]; /* others of this process to it */
    size_t n;
    const struct lk_own_connection *keeps; /* of these, one in the hands of who waits; NULL */
    bool in_chain;                         /* ... of this very chain */
};

static bool is_party_of(const struct chain *x, struct lk_ref who, struct lk_ref r)
{
    bool ret = lk_ref_eq(who, r);
    for (size_t i = 0; i < x->n; i++)
        ret |= lk_ref_eq(x->e[i].to, r);
    return ret;
}

/* It waits for something else than the server, and not for a while only. */
static bool stands(const struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(c->snap, r);
    const struct lk_task *k = lk_task_at(c->snap, r);
    enum lk_wait_kind kind = t ? t->wait.kind : k ? k->wait.kind : LK_WAIT_NONE;
    return kind != LK_WAIT_NONE && kind != LK_WAIT_SELECTOR && kind != LK_WAIT_EXECUTOR_IDLE &&
           kind != LK_WAIT_READY && kind != LK_WAIT_IO && kind != LK_WAIT_SLEEP &&
           lk_serves_request(c, r);
}

static void find_own(const struct lk_rule_context *c, struct lk_ref who, const struct chain *x,
                     struct server *v)
{
    for (size_t i = 0; v->kind && v->local && v->peer && i < c->snap->own_connections.n; i++) {
        const struct lk_own_connection *o = &c->snap->own_connections.v[i];
        if (strcmp(o->peer, v->peer) != 0 || strcmp(o->local, v->local) == 0)
            continue;
        if (v->n < MAX_OWN)
            v->own[v->n++] = o;
        bool here = is_party_of(x, who, o->by);
        if ((here && !v->in_chain) || (!v->keeps && stands(c, o->by))) {
            v->keeps = o;
            v->in_chain = here;
        }
    }
}

static struct server server_of(const struct lk_rule_context *c, struct lk_ref who,
                               const struct chain *x)
{
    const struct lk_thread *t = lk_thread_at(c->snap, x->last);
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    struct server v = { .peer = t && t->os.peer ? t->os.peer
                                : e             ? e->text
                                                : NULL,
                        .local = t && t->os.local ? t->os.local
                                 : e              ? e->local
                                                  : NULL };
    if ((e && e->kind != LK_EXT_OUTSIDE) || (t && t->os.on == LK_OS_CHILD) ||
        (t && is_to_itself(t)))
        return v;
    v.kind = lk_service_of(stack_of(c, x->last), t ? t->native_stack : NULL, v.peer);
    find_own(c, who, x, &v);
    return v;
}

static const char *say_keeper(const struct lk_rule_context *c, const struct chain *x,
                              const struct server *v)
{
    if (!v->kind)
        return " (no deadlock in this process)";
    if (!v->keeps)
        return "";
    struct lk_culprit p = lk_culprit_of(c, v->keeps->by);
    const char *last = lk_thread_at(c->snap, x->last) ? "that thread" : "that task";
    const char *who = lk_ref_eq(v->keeps->by, x->last) ? last : lk_name(c, v->keeps->by);
    return v->in_chain
               ? lk_print(c,
                          "; %s has another connection to it (%s), which keeps what it has locked "
                          "until this wait ends",
                          who, v->keeps->local)
               : lk_print(
                     c,
                     "; %s, which waits itself at %s, has another connection to it (%s), which "
                     "keeps what it has locked",
                     lk_name(c, v->keeps->by), lk_place(c, &p), v->keeps->local);
}

static void say_own(struct lk_rule_context *c, struct lk_finding *f, const struct server *v)
{
    for (size_t i = 0; i < v->n; i++)
        lk_finding_say(c, f, "this process has another connection to it, from %s, %s",
                       v->own[i]->local,
                       v->own[i]->by.kind != LK_KIND_NONE
                           ? lk_print(c, "in the hands of %s", lk_name(c, v->own[i]->by))
                           : "which nobody alone was found to have at hand");
    if (v->keeps)
        lk_finding_say(c, f,
                       "whether it is that connection which is waited for, the server knows: the "
                       "question below asks it");
}

static unsigned port_of(const char *end)
{
    const char *colon = end ? strrchr(end, ':') : NULL;
    return colon ? (unsigned)atoi(colon + 1) : 0;
}

static const char *how_to_ask(const struct lk_rule_context *c, const struct server *v)
{
    unsigned ports[MAX_OWN + 1];
    size_t n = 0;
    ports[n++] = port_of(v->local);
    for (size_t i = 0; i < v->n; i++)
        ports[n++] = port_of(v->own[i]->local);
    const char *ask = ports[0] ? lk_print(c, "Ask %s what it does: %s. ", v->kind->name,
                                          lk_service_question(c->out->arena, v->kind, ports, n))
                               : lk_print(c, "It ends when %s answers. ", v->kind->name);
    return lk_print(c, "%sThere, %s.", ask, v->kind->frees);
}

static void say_job_in_job(struct lk_rule_context *c, struct lk_finding *f,
                           const struct lk_wait_group *g)
{
    lk_finding_say(c, f,
                   "%s in a job: where other jobs are run by the same workers, one that is free is "
                   "needed for it, and each that waits like this is none",
                   g->n == 1 ? "the wait is" : "the waits are");
    f->remedy =
        "Do not wait for a job inside a job: once all workers wait like this nobody is left "
        "to run what they wait for. Chain jobs (Celery: chain, chord, link), or let the "
        "other job go to workers of its own and give the wait a timeout.";
}

static void say_external(struct lk_rule_context *c, struct lk_finding *f,
                         const struct lk_wait_group *g, const struct chain *x,
                         const struct server *v)
{
    const struct lk_thread *last = lk_thread_at(c->snap, x->last);
    const char *end =
        v->kind ? lk_print(c, "%s (%s)", name_end(c, x), v->kind->name) : name_end(c, x);
    const bool itself = last && is_to_itself(last);
    const char *pipe = filled_pipe(c, x, last);
    const char *more = pipe     ? lk_print(c,
                                           ": it writes to %s, which is full, and whose reading end "
                                               "this process has",
                                           pipe)
                       : itself ? ""
                                : say_keeper(c, x, v);
    f->summary = lk_print(c, "%s: %s held up%s by %s, without a timeout%s", who_waits(c, g, f, x),
                          what_is_held_up(c, g), by_way_of(c, g, x), end, more);
    lk_finding_say(c, f, "the chain of waits ends %s %s, and no wait in it has a timeout",
                   itself ? "at" : "outside of this process, at", end);
    if (pipe)
        say_filled(c, f, pipe);
    if (itself) {
        f->remedy = "Close the other end when its writer is done, also on errors, so that reading "
                    "ends; let nobody wait for the reader before that, or with a timeout.";
        lk_finding_say(c, f,
                       "which code of this process would write there is not known, so it is not "
                       "proven to be a deadlock");
    }
    if (last && last->os.local && last->os.peer && !waits_for_job(last))
        lk_finding_say(c, f, "%s from %s to %s, in %s()",
                       last->os.on == LK_OS_SOCKET ? "a connection" : "a descriptor",
                       last->os.local, last->os.peer,
                       last->os.syscall ? last->os.syscall : "a system call");
    if (is_job_in_job(c, x->last))
        say_job_in_job(c, f, g);
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    if (lk_task_at(c->snap, x->last) && e && e->quiet_ms != LK_UNKNOWN)
        lk_finding_say(c, f, "no data has come or gone on that connection for %s, says the kernel",
                       lk_duration(c, e->quiet_ms));
    else if (lk_task_at(c->snap, x->last))
        lk_finding_say(c, f,
                       "%s was in this one wait in all samples: the same objects at the same "
                       "places in its frames",
                       lk_name(c, x->last));
}

static void tell_external(struct lk_rule_context *c, const struct lk_wait_group *g,
                          const struct chain *x)
{
    const struct lk_thread *t = lk_thread_at(c->snap, g->who[0]),
                           *last = lk_thread_at(c->snap, x->last);
    const struct lk_task *task = lk_task_at(c->snap, x->last);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK406);
    lk_finding_blame_chain(c, &f, g->who[0], x->e, x->n, !t);
    lk_finding_part(c, &f, g->who[0], false);
    for (size_t k = 0; k < x->n; k++)
        lk_finding_part(c, &f, x->e[k].to, false);
    lk_wait_group_add(c, &f, g);
    lk_finding_chain(c, &f, x->e, x->n);
    if (x->only_alike) {
        lk_finding_doubt(&f, LK_PROBABLE);
        lk_finding_say(c, &f,
                       "the loop's thread ran whenever it was looked at; what was read then "
                       "is alike in all samples");
    }
    lk_finding_since(c, &f, t ? t : last);
    if (task && !t)
        lk_finding_since_task(c, &f, task);
    if (!t || goes_through_task(c, x))
        lk_finding_doubt_absence(c, &f, LK_PROBABLE);
    f.severity = LK_STALLED;
    const struct server v = server_of(c, g->who[0], x);
    say_external(c, &f, g, x, &v);
    say_own(c, &f, &v);
    if (v.keeps)
        lk_finding_part(c, &f, v.keeps->by, true);
    if (v.kind)
        f.remedy = v.kind->timeouts;
    f.safe_now = v.kind ? how_to_ask(c, &v) : how_to_free_it(c, last, name_plain_end(c, x));
    f.safe_now = lk_with_kill(c, &f, f.safe_now);
    lk_finding_held_by(c, &f, g->lasts, g->n);
    lk_finding_say_cross_waits(c, &f, x->last);
    lk_finding_file(c, &f);
    lk_wait_group_explain(c, g);
}

/* ---- the rule ------------------------------------------------------------------------ */

/* Waiting for a client or for the next message is what the end of the chain is there for. */
static bool is_idle_end(const struct lk_rule_context *c, const struct chain *x, bool own_pipe)
{
    const struct lk_thread *last = lk_thread_at(c->snap, x->last);
    const struct lk_task *task = lk_task_at(c->snap, x->last);
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    const struct lk_wait *w = last ? &last->wait : task ? &task->wait : NULL;
    if (w && (w->traits & LK_WAIT_FOR_JOB))
        return false;
    return !w || (w->traits & LK_WAIT_LISTENS) ||
           lk_stack_has(stack_of(c, x->last), LK_MARK_CONSUMER) || (task && e && e->client) ||
           (last && !own_pipe && is_idle_io(last, lk_serves_request(c, x->last)));
}

/* A request, or a caller that waits for a result, held up from outside. */
static bool is_external_thread(const struct lk_rule_context *c, size_t i, struct chain *x)
{
    const struct lk_thread *t = &c->snap->threads.v[i];
    const bool request = lk_is_request_thread(c->snap, t);
    if (!request && t->wait.kind != LK_WAIT_FUTURE)
        return false;
    if (!find_chain(c, lk_ref_make(LK_KIND_THREAD, i), x) || x->timed)
        return false;
    /* A script that has set its children to work waits for them as long as it takes. */
    if (!request && ends_at_child(c->snap, x->end))
        return false;
    const struct lk_thread *last = lk_thread_at(c->snap, x->last);
    /* A pipe of its own that a thread idles at is somebody's wait when that one waits for the
     * thread. */
    bool own_pipe = last && !lk_ref_eq(x->last, lk_ref_make(LK_KIND_THREAD, i)) &&
                    last->os.on == LK_OS_PIPE && is_to_itself(last);
    return !is_idle_end(c, x, own_pipe);
}

/*
 * A request that is a task. It must need what is outside: of several things any of which would do
 * (asyncio.wait), or where other code may end the wait too, it is not held up. One that streams its
 * response waits for the next message.
 */
static bool is_external_task(const struct lk_rule_context *c, size_t i, struct chain *x)
{
    const struct lk_task *k = &c->snap->tasks.v[i];
    struct lk_ref task = lk_ref_make(LK_KIND_TASK, i);
    if (k->ready || !lk_is_request_task(c->snap, k) || lk_stack_has(k->stack, LK_MARK_CONSUMER) ||
        !find_chain(c, task, x) || x->timed || is_idle_end(c, x, false))
        return false;
    const bool itself = lk_ref_eq(x->last, task);
    if (itself && x->n <= 1)
        return k->wait.on.n <= 1 || !k->wait.any;
    lk_graph_held_up(c->graph, itself ? x->end : x->last, c->mark);
    return c->mark[c->graph->first[LK_KIND_TASK] + i];
}

struct waits {
    struct lk_long_wait *v;
    size_t n;
};

static void add_wait(const struct lk_rule_context *c, struct waits *w, struct lk_ref who,
                     const struct chain *x, struct lk_ref at)
{
    w->v[w->n++] = (struct lk_long_wait){ .who = who,
                                          .last = x->last,
                                          .end = name_end(c, x),
                                          .place = lk_culprit_frame(stack_of(c, at), NULL) };
}

/* One that polls comes back to its place after each answer too: it must be the same call, or the
 * connection must have been quiet for as long. */
static bool is_quiet(const struct lk_rule_context *c, const struct lk_thread *t,
                     const struct chain *x)
{
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    if (!(t->wait.traits & LK_WAIT_POLLS))
        return true;
    return e && e->quiet_ms != LK_UNKNOWN
               ? e->quiet_ms >= c->snap->stalled_after_ms
               : t->wait.call_id != 0 || (t->wait.traits & LK_WAIT_FOR_JOB) != 0;
}

/* Stalled; else more watching is asked for, where that may show it. Who waits for the outside must
 * have waited as long as who waits for it: it may do one short thing after the other. */
static bool both_stalled(struct lk_rule_context *c, struct lk_ref thread, const struct chain *x)
{
    const struct lk_ref parties[] = { thread, x->last };
    bool all = true;
    for (size_t i = 0; i < LK_ARRAY_LEN(parties); i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, parties[i]);
        if (!t || (lk_is_stalled(c, t) && is_quiet(c, t, x)))
            continue;
        all = false;
        if (lk_may_stall(c, t))
            lk_watch(c, parties[i]);
    }
    return all;
}

static void find_threads(struct lk_rule_context *c, struct waits *w, struct chain *x)
{
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
        if (c->explained[i] || t->running || (!lk_is_stalled(c, t) && !lk_may_stall(c, t)) ||
            !is_external_thread(c, i, x))
            continue;
        if (both_stalled(c, thread, x))
            add_wait(c, w, thread, x, thread);
    }
}

static void find_tasks(struct lk_rule_context *c, struct waits *w, struct chain *x)
{
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        if (c->explained_tasks[i] || !is_external_task(c, i, x))
            continue;
        const struct lk_thread *t = lk_thread_at(c->snap, x->last);
        const struct lk_task *k = lk_task_at(c->snap, x->last);
        if (t ? c->explained[x->last.index] || t->running : c->explained_tasks[x->last.index])
            continue;
        if (t ? lk_is_stalled(c, t) : lk_task_is_stalled(c, k))
            add_wait(c, w, lk_ref_make(LK_KIND_TASK, i), x, x->last);
        else if (t && lk_may_stall(c, t))
            lk_watch(c, x->last);
        else if (k && lk_task_may_stall(c, k))
            c->out->look_again.at_end = true;
    }
}

void lk_find_external_wait(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    struct chain *x = lk_arena_alloc(c->out->arena, sizeof *x);
    struct waits w = { .v = lk_arena_array(c->out->arena, s->threads.n + s->tasks.n, sizeof *w.v) };
    find_threads(c, &w, x);
    find_tasks(c, &w, x);
    for (size_t i = 0; i < w.n; i++) {
        struct lk_wait_group g;
        if (w.v[i].told)
            continue;
        lk_wait_group_collect(c, w.v, w.n, i, &g);
        if (!g.n || !find_chain(c, g.who[0], x))
            continue;
        x->only_alike = lk_trust_what_stays(c, x->e, x->n);
        tell_external(c, &g, x);
    }
}

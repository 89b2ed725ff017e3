/*
 * LK406: the chain of waits from a request or caller to what it waits for outside of the process: a
 * way of the wait graph that ends at an outside extern, or at a system call for which none was
 * named. Waiting for a client, for the next message or for input is what servers do: an idle end.
 */
#include "diagnose/rules/external_chain.h"

#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/requests.h"
#include "util/text.h"

static bool is_outside(const struct lk_extern *e)
{
    return e && (e->kind == LK_EXT_OUTSIDE || e->kind == LK_EXT_CHILD || e->kind == LK_EXT_FILE);
}

bool lk_external_at_child(const struct lk_snapshot *s, const struct lk_external_chain *x)
{
    const struct lk_extern *e = lk_extern_at(s, x->end);
    return e && e->kind == LK_EXT_CHILD;
}

/* A thread or task in I/O for which nothing outside was named. */
static bool waits_nameless(const struct lk_graph *g, const struct lk_node *n)
{
    const struct lk_wait *w = lk_wait_of(g->snap, n->ref);
    return w && (w->kind == LK_WAIT_IO || w->kind == LK_WAIT_CHILD) && n->n_edges == n->n_must &&
           n->base == LK_LIFE_EXTERN;
}

/* The end of a chain. */
static bool is_external_end(const struct lk_graph *g, const struct lk_node *n, void *arg)
{
    (void)arg;
    return is_outside(lk_extern_at(g->snap, n->ref)) || waits_nameless(g, n);
}

bool lk_external_to_itself(const struct lk_thread *t)
{
    return t->os.peer_is == LK_PEER_SELF;
}

/* Waiting for a client, for the next message or for input is what servers do. */
static bool is_idle_io(const struct lk_thread *t, bool in_request)
{
    const struct lk_syscall_wait *os = &t->os;
    if (t->wait.kind != LK_WAIT_IO)
        return false;
    return os->accepted || os->listening || os->on == LK_OS_SIGNAL || lk_waits_at_input(os) ||
           (os->on == LK_OS_SELECTOR && !in_request) ||
           (lk_external_to_itself(t) && (os->peer || !in_request));
}

bool lk_external_for_job(const struct lk_thread *t)
{
    return t && (t->wait.traits & LK_WAIT_FOR_JOB);
}

/* A timer that a loop or a library keeps in C. */
static bool may_be_timed(const struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_task *k = lk_task_at(c->snap, r);
    return k && k->wait.timeout_ms == LK_UNKNOWN;
}

static void note_end(const struct lk_rule_context *c, struct lk_external_chain *x,
                     struct lk_ref thread)
{
    x->last = thread;
    x->timed = lk_graph_node(c->graph, thread)->timeout_ms != LK_FOREVER || may_be_timed(c, thread);
    for (size_t i = 0; i < x->n; i++) {
        const struct lk_node *to = lk_graph_node(c->graph, x->e[i].to);
        x->timed |= to->timeout_ms != LK_FOREVER || may_be_timed(c, to->ref);
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
static bool find_work(const struct lk_rule_context *c, struct lk_ref thread,
                      struct lk_external_chain *x)
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

bool lk_external_chain_find(const struct lk_rule_context *c, struct lk_ref thread,
                            struct lk_external_chain *x)
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

bool lk_external_is_idle(const struct lk_rule_context *c, const struct lk_external_chain *x,
                         bool own_pipe)
{
    const struct lk_thread *last = lk_thread_at(c->snap, x->last);
    const struct lk_task *task = lk_task_at(c->snap, x->last);
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    const struct lk_wait *w = lk_wait_of(c->snap, x->last);
    if (w && (w->traits & LK_WAIT_FOR_JOB))
        return false;
    return !w || (w->traits & LK_WAIT_LISTENS) ||
           lk_stack_has(lk_stack_of(c->snap, x->last), LK_MARK_CONSUMER) ||
           (task && e && e->client) ||
           (last && !own_pipe && is_idle_io(last, lk_serves_request(c, x->last)));
}

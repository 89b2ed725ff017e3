/*
 * LK406: the server that a chain of waits ends at, where the catalog knows it (services.h): which
 * other connections this process has to it, for what such a connection has locked it keeps until
 * its user goes on, and how the server is asked what it does.
 */
#include "diagnose/rules/asked_server.h"

#include <stdlib.h>
#include <string.h>

#include "diagnose/rules/finding.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"

static bool is_party_of(const struct lk_external_chain *x, struct lk_ref who, struct lk_ref r)
{
    bool ret = lk_ref_eq(who, r);
    for (size_t i = 0; i < x->n; i++)
        ret |= lk_ref_eq(x->e[i].to, r);
    return ret;
}

/* It waits for something else than the server, and not for a while only. */
static bool stands(const struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_wait *w = lk_wait_of(c->snap, r);
    enum lk_wait_kind kind = w ? w->kind : LK_WAIT_NONE;
    return kind != LK_WAIT_NONE && kind != LK_WAIT_SELECTOR && kind != LK_WAIT_EXECUTOR_IDLE &&
           kind != LK_WAIT_READY && kind != LK_WAIT_IO && kind != LK_WAIT_SLEEP &&
           lk_serves_request(c, r);
}

static void find_own(const struct lk_rule_context *c, struct lk_ref who,
                     const struct lk_external_chain *x, struct lk_asked_server *v)
{
    for (size_t i = 0; v->kind && v->local && v->peer && i < c->snap->own_connections.n; i++) {
        const struct lk_own_connection *o = &c->snap->own_connections.v[i];
        if (strcmp(o->peer, v->peer) != 0 || strcmp(o->local, v->local) == 0)
            continue;
        if (v->n < LK_MAX_ASKED_OWN)
            v->own[v->n++] = o;
        bool here = is_party_of(x, who, o->by);
        if ((here && !v->in_chain) || (!v->keeps && stands(c, o->by))) {
            v->keeps = o;
            v->in_chain = here;
        }
    }
}

struct lk_asked_server lk_asked_server_of(const struct lk_rule_context *c, struct lk_ref who,
                                          const struct lk_external_chain *x)
{
    const struct lk_thread *t = lk_thread_at(c->snap, x->last);
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    struct lk_asked_server v = { .peer = t && t->os.peer ? t->os.peer
                                         : e             ? e->text
                                                         : NULL,
                                 .local = t && t->os.local ? t->os.local
                                          : e              ? e->local
                                                           : NULL };
    if ((e && e->kind != LK_EXT_OUTSIDE) || (t && t->os.on == LK_OS_CHILD) ||
        (t && lk_external_to_itself(t)))
        return v;
    v.kind = lk_service_of(lk_stack_of(c->snap, x->last), t ? t->native_stack : NULL, v.peer);
    find_own(c, who, x, &v);
    return v;
}

const char *lk_asked_server_keeper(const struct lk_rule_context *c,
                                   const struct lk_external_chain *x,
                                   const struct lk_asked_server *v)
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

void lk_asked_server_say_own(struct lk_rule_context *c, struct lk_finding *f,
                             const struct lk_asked_server *v)
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

const char *lk_asked_server_question(const struct lk_rule_context *c,
                                     const struct lk_asked_server *v)
{
    unsigned ports[LK_MAX_ASKED_OWN + 1];
    size_t n = 0;
    ports[n++] = port_of(v->local);
    for (size_t i = 0; i < v->n; i++)
        ports[n++] = port_of(v->own[i]->local);
    const char *ask = ports[0] ? lk_print(c, "Ask %s what it does: %s. ", v->kind->name,
                                          lk_service_question(c->out->arena, v->kind, ports, n))
                               : lk_print(c, "It ends when %s answers. ", v->kind->name);
    return lk_print(c, "%sThere, %s.", ask, v->kind->frees);
}

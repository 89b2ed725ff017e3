/*
 * A database keeps a lock for the connection that took it: who waits there may wait for another
 * connection of its own process. Which there are the kernel tells; who has one at hand, its frames:
 * by a socket, by a transport, or by a connection that libpq keeps in C, in whose memory (PGconn,
 * libpq-int.h laddr) the address of this end stands. Of several whose frames lead to one, the
 * nearest has it; of several equally near, none is known to.
 */
#include "read/loops/own_connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "read/loops/parties.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/socket.h"

enum {
    MAX_LOOKS = 200000, /* objects looked at in one sample, ... */
    SEARCH = 4000,      /* ... and from the frames of one thread or task */
    STEPS = 11, /* a session of SQLAlchemy's, down to the transport of its driver's connection */
    MAX_WORDS = 32, /* of the body of an object made in C */
    PGCONN = 2048,  /* bytes of a PGconn that are looked at */
    FAR = 1000,
};

struct own {
    struct lk_connection c;
    unsigned far; /* of the nearest that has it */
    bool shared;  /* several are as near */
    struct lk_ref by;
};

struct search {
    struct lk_py *py;
    struct own v[LK_MAX_CONNECTIONS];
    size_t n;
    struct lk_ref by; /* whose frames are being looked at */
    unsigned budget;
};

/* ---- whose peer is waited for ---------------------------------------------------------------- */

static const char *awaited_peer(const struct lk_snapshot *s, const struct lk_wait *w)
{
    const struct lk_extern *e =
        w->kind == LK_WAIT_IO && w->on.n == 1 ? lk_extern_at(s, w->on.v[0]) : NULL;
    return e && e->kind == LK_EXT_OUTSIDE && !e->client ? e->text : NULL;
}

static bool is_awaited(const struct lk_snapshot *s, const char *peer)
{
    for (size_t i = 0; i < s->threads.n; i++) {
        const char *p = awaited_peer(s, &s->threads.v[i].wait);
        if (p && strcmp(p, peer) == 0)
            return true;
    }
    for (size_t i = 0; i < s->tasks.n; i++) {
        const char *p = awaited_peer(s, &s->tasks.v[i].wait);
        if (p && strcmp(p, peer) == 0)
            return true;
    }
    return false;
}

static bool any_is_awaited(const struct lk_snapshot *s)
{
    bool any = false;
    for (size_t i = 0; i < s->threads.n && !any; i++)
        any = awaited_peer(s, &s->threads.v[i].wait) != NULL;
    for (size_t i = 0; i < s->tasks.n && !any; i++)
        any = awaited_peer(s, &s->tasks.v[i].wait) != NULL;
    return any;
}

/* Connections to a peer that is waited for; true when there is one beside another to it. */
static bool find_connections(struct search *x)
{
    struct lk_connections all = { 0 };
    bool several = false;
    const bool known = lk_process_connections(x->py->t, x->py->s->arena, &all);
    for (size_t i = 0; known && i < all.n && x->n < LK_MAX_CONNECTIONS; i++) {
        if (!is_awaited(x->py->s, all.v[i].peer))
            continue;
        for (size_t k = 0; k < x->n; k++)
            several |= strcmp(x->v[k].c.peer, all.v[i].peer) == 0;
        x->v[x->n++] = (struct own){ .c = all.v[i], .far = FAR };
    }
    return several;
}

/* ---- who has one at hand --------------------------------------------------------------------- */

static void note(struct search *x, struct own *o, unsigned far)
{
    if (far < o->far) {
        o->shared = false;
        o->far = far;
        o->by = x->by;
    } else if (far == o->far && !lk_ref_eq(o->by, x->by)) {
        o->shared = true;
    }
}

static void note_fd(struct search *x, int64_t fd, unsigned far)
{
    for (size_t i = 0; i < x->n && fd != LK_UNKNOWN; i++)
        if (x->v[i].c.fd == fd)
            note(x, &x->v[i], far);
}

/* An IPv4 address as it stands in a sockaddr_in: family, port, address. */
static bool as_sockaddr(const char *text, uint8_t ret[8])
{
    struct in_addr a;
    char host[INET_ADDRSTRLEN];
    unsigned port;
    if (sscanf(text, "%15[0-9.]:%u", host, &port) != 2 || inet_pton(AF_INET, host, &a) != 1)
        return false;
    const struct sockaddr_in whole = { .sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)port),
                                       .sin_addr = a };
    memcpy(ret, &whole, 8); /* NOLINT(bugprone-not-null-terminated-result): no text */
    return true;
}

static bool is_libpqs(const struct lk_pytype *ty)
{
    return lk_ends_with(ty->name, "psycopg2.extensions.connection") ||
           lk_ends_with(ty->name, ".PGconn");
}

/* What else stands there, and behind it, may be a password: a record has the answer alone. */
static bool is_libpq_end(struct lk_py *py, lk_addr at, const char *local)
{
    const struct lk_key key = { .n = (int64_t)at, .text = local };
    uint8_t body[PGCONN], end[8];
    bool is = false;
    int why;
    if (lk_process_recall(py->t, LK_FACT_IS_LIBPQ_END, &key, py->s->arena, &is, &why))
        return !why && is;
    lk_process_aside(py->t);
    is = as_sockaddr(local, end) && lk_read(py->t, at, body, sizeof body) &&
         memmem(body, sizeof body, end, sizeof end);
    lk_process_aside_end(py->t);
    lk_process_keep(py->t, LK_FACT_IS_LIBPQ_END, &key, 0, &is);
    return is;
}

static void note_libpq(struct search *x, lk_addr obj, const struct lk_pytype *ty, unsigned far)
{
    uint64_t w[MAX_WORDS];
    size_t n = LK_MIN((size_t)LK_MAX(ty->basicsize, 0) / 8, (size_t)MAX_WORDS);
    if (!n || !lk_read(x->py->t, obj, w, n * 8))
        return;
    for (size_t i = 2; i < n; i++)
        for (size_t k = 0; lk_py_plausible(w[i]) && k < x->n; k++)
            if (is_libpq_end(x->py, w[i], x->v[k].c.local))
                note(x, &x->v[k], far);
}

static bool visit(struct lk_py *py, lk_addr obj, unsigned far, void *arg)
{
    struct search *x = arg;
    const struct lk_pytype *ty = lk_py_type(py, obj);
    bool into;
    if (ty && is_libpqs(ty)) {
        note_libpq(x, obj, ty, far);
        return false;
    }
    note_fd(x, lk_party_connection(py, obj, &into), far);
    return into;
}

static void search_party(struct search *x, const struct lk_party *p)
{
    x->by = p->ref;
    (void)lk_party_lead_to(
        x->py, p,
        (struct lk_leads_to){ .visit = visit, .arg = x, .steps = STEPS, .budget = SEARCH },
        &x->budget);
}

/* Who waits in a system call on it has it. */
static void note_waiters(struct search *x)
{
    for (size_t i = 0; i < x->py->s->threads.n; i++) {
        const struct lk_thread *t = &x->py->s->threads.v[i];
        x->by = lk_ref_make(LK_KIND_THREAD, i);
        if (awaited_peer(x->py->s, &t->wait))
            note_fd(x, t->os.fd, 0);
    }
}

void lk_py_find_own_connections(struct lk_py *py)
{
    struct lk_parties parties = { 0 };
    if (!any_is_awaited(py->s))
        return;
    struct search *x = lk_arena_alloc(py->s->arena, sizeof *x);
    x->py = py;
    x->budget = MAX_LOOKS;
    if (!find_connections(x) || !lk_parties_read(py, &parties)) {
        lk_parties_deinit(&parties);
        return;
    }
    for (size_t i = 0; i < parties.n && x->budget; i++)
        search_party(x, &parties.v[i]);
    note_waiters(x);
    lk_parties_deinit(&parties);
    for (size_t i = 0; i < x->n; i++) {
        const struct own *o = &x->v[i];
        struct lk_own_connection *to = lk_vec_push(&py->s->own_connections);
        to->fd = o->c.fd;
        to->local = o->c.local;
        to->peer = o->c.peer;
        if (o->far < FAR && !o->shared)
            to->by = o->by;
    }
}

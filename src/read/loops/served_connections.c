/*
 * A thread waits for the answer of its own process, and a loop has accepted the connection: which
 * task is going to answer is in no table, but whoever writes there has the transport at hand. A
 * server's protocol makes one task for a request, whose frames have it near (uvicorn's
 * RequestResponseCycle.transport, aiohttp's RequestHandler.transport) or by the methods that it was
 * given to answer with (hypercorn's HTTPStream.app_send, by its protocol and TCPServer.writer);
 * what other tasks reach by the server's tables is farther away.
 */
#include "read/loops/served_connections.h"

#include "read/loops/parties.h"

enum {
    MAX_SERVED = 256,
    MAX_LOOKS = 400000, /* objects looked at in one sample, ... */
    SEARCH = 20000,     /* ... and from the frames of one task */
    STEPS = 9,
};

struct search {
    struct lk_py *py;
    struct lk_ref by; /* whose frames are being looked at */
    unsigned far;     /* how far they were followed */
    unsigned budget;
};

static struct lk_served_connection *find(struct lk_snapshot *s, int64_t fd)
{
    for (size_t i = 0; i < s->served_connections.n; i++)
        if (s->served_connections.v[i].fd == fd)
            return &s->served_connections.v[i];
    return NULL;
}

static void add_asked(struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n && s->served_connections.n < MAX_SERVED; i++) {
        const struct lk_syscall_wait *os = &s->threads.v[i].os;
        if (os->far_fd == LK_UNKNOWN || !os->peer || os->accepted || find(s, os->far_fd))
            continue;
        struct lk_served_connection *to = lk_vec_push(&s->served_connections);
        to->fd = os->far_fd;
        to->seen_to = STEPS;
    }
}

static void note(struct lk_served_connection *to, struct lk_ref task, unsigned far)
{
    const size_t most = LK_ARRAY_LEN(to->by);
    size_t at = to->n_by;
    for (size_t i = 0; i < to->n_by; i++)
        if (lk_ref_eq(to->by[i].task, task)) /* what is nearer was met first */
            return;
    while (at && to->by[at - 1].far > far)
        at--;
    if (at == most)
        return;
    to->n_by = LK_MIN(to->n_by + 1, most);
    memmove(&to->by[at + 1], &to->by[at], (to->n_by - 1 - at) * sizeof to->by[0]);
    to->by[at].task = task;
    to->by[at].far = far;
}

static bool visit(struct lk_py *py, lk_addr obj, unsigned far, void *arg)
{
    struct search *x = arg;
    bool into;
    const int64_t fd = lk_party_connection(py, obj, &into);
    struct lk_served_connection *to = fd == LK_UNKNOWN ? NULL : find(py->s, fd);
    x->far = far;
    if (to)
        note(to, x->by, far);
    return into;
}

static void search_task(struct search *x, const struct lk_party *p)
{
    x->by = p->ref;
    x->far = 0;
    const bool whole = lk_party_lead_to(
        x->py, p,
        (struct lk_leads_to){ .visit = visit, .arg = x, .steps = STEPS, .budget = SEARCH },
        &x->budget);
    for (size_t i = 0; !whole && i < x->py->s->served_connections.n; i++) {
        struct lk_served_connection *to = &x->py->s->served_connections.v[i];
        to->seen_to = LK_MIN(to->seen_to, x->far ? x->far - 1 : 0);
    }
}

void lk_py_find_served_connections(struct lk_py *py)
{
    struct lk_snapshot *s = py->s;
    struct lk_parties parties = { 0 };
    struct search x = { .py = py, .budget = MAX_LOOKS };
    add_asked(s);
    if (!s->served_connections.n)
        return;
    if (!lk_parties_read(py, &parties) || parties.cut)
        s->served_connections.n = 0;
    for (size_t i = 0; s->served_connections.n && i < parties.n; i++)
        if (parties.v[i].ref.kind == LK_KIND_TASK)
            search_task(&x, &parties.v[i]);
    lk_parties_deinit(&parties);
}

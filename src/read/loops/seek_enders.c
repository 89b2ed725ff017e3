/*
 * Which waits that any code may end nobody was found to end: of requests for an Event, a Semaphore,
 * a Barrier, a full or unfinished Queue, a task's Lock that nobody is seen to hold, or for
 * something that a queue lends; and for a future or the next item of a queue, where all references
 * to it are the waiters' own. could_end.c looks for whoever could.
 */
#include "read/loops/awaited.h"
#include "read/loops/closed_group.h"
#include "read/loops/could_end.h"
#include "read/loops/other_enders.h"
#include "read/python/python.h"

#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/leads_to.h"
#include "read/python/reader/method_calls.h"
#include "util/memory.h"
#include "util/text.h"

enum {
    MAX_OWN = 16,     /* things that one party waits for, in the end */
    NAMED = 2,        /* steps from a name: an attribute, an item of it */
    MAX_NAMED = 4000, /* objects looked at for that */
    MAX_RELAYS = 4,   /* futures that only hand on another one's end */
};

static const char *const sets[] = { "set", NULL };
static const char *const releases[] = { "release", NULL };
static const char *const waits[] = { "wait", NULL };
static const char *const gets[] = { "get", "get_nowait", NULL };
static const char *const reports[] = { "task_done", NULL };
static const char *const puts_back[] = { "put", "put_nowait", NULL };
static const char *const notifies[] = { "notify", "notify_all", NULL };
static const char *const completes[] = { "set_result", "set_exception", "cancel", NULL };

static const struct sought {
    enum lk_known_class cls;
    enum lk_wait_kind wait;
    const char *const *methods;
    const char *unless; /* as in struct lk_ending */
    bool others;
    bool lends;
    /* a long poll's, too: said only where nobody else refers to it; or where there is code that
     * would end it, and does not run */
    bool kept, kept_or_idle;
} rows[] = {
    { LK_CLASS_EVENT, LK_WAIT_EVENT, sets, .others = true },
    { LK_CLASS_CONDITION, LK_WAIT_CONDITION, notifies, .kept_or_idle = true },
    { LK_CLASS_SEMAPHORE, LK_WAIT_SEMAPHORE, releases, .unless = "acquire" },
    { LK_CLASS_BARRIER, LK_WAIT_BARRIER, waits, .others = false },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_PUT, gets, .others = false },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_JOIN, reports, .others = false },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_GET, puts_back, .unless = "get", .lends = true },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_GET, puts_back, .kept = true },
    { LK_CLASS_AIO_EVENT, LK_WAIT_EVENT, sets, .others = true, .kept_or_idle = true },
    { LK_CLASS_AIO_CONDITION, LK_WAIT_CONDITION, notifies, .others = false },
    { LK_CLASS_AIO_SEMAPHORE, LK_WAIT_SEMAPHORE, releases, .unless = "acquire" },
    { LK_CLASS_AIO_LOCK, LK_WAIT_LOCK, releases, .others = true },
    { LK_CLASS_AIO_BARRIER, LK_WAIT_BARRIER, waits, .others = false },
    { LK_CLASS_AIO_QUEUE, LK_WAIT_QUEUE_PUT, gets, .others = false },
    { LK_CLASS_AIO_QUEUE, LK_WAIT_QUEUE_JOIN, reports, .others = false },
    { LK_CLASS_AIO_QUEUE, LK_WAIT_QUEUE_GET, puts_back, .unless = "get", .lends = true },
    { LK_CLASS_AIO_QUEUE, LK_WAIT_QUEUE_GET, puts_back, .kept = true },
};
/* of asyncio's and concurrent ones alike */
static const struct sought future_row = { LK_CLASS_OTHER, LK_WAIT_FUTURE, completes, .kept = true };

/* What is asked for: by whom, in which way. */
struct thing {
    struct lk_ref ref; /* lock or future */
    lk_addr addr;
    const struct sought *row;
    struct lk_refs waiters;
};

struct search {
    struct lk_py *py;
    LK_VEC(struct thing) things;
    struct lk_map asked; /* addresses of what requests that are tasks wait for */
    bool asked_read;
    struct lk_could_end *could;
    struct lk_closed_group *group; /* NULL: none, or not sought yet */
    bool group_sought, closed;     /* closed: something that is asked for is one's */
    struct lk_pyframes chain;      /* buffer */
};

static const struct lk_pyframes *frames_of(struct search *x, struct lk_ref who)
{
    return lk_frames_of_party(x->py, who, &x->chain);
}

/* ---- what is asked for ----------------------------------------------------------------------- */

/* Connections are lent last in, first out; or whoever takes one is going to put it back. */
static bool lends(struct search *x, const struct thing *l)
{
    if (lk_py_isinstance(x->py, l->addr, NULL, "LifoQueue")) /* of any library's own making, too */
        return true;
    for (size_t i = 0; i < l->waiters.n; i++) {
        const struct lk_pyframes *f = frames_of(x, l->waiters.v[i]);
        for (size_t k = 0; f && k < f->n; k++)
            if (lk_py_will_call_method_on(x->py, &f->v[k], "put", l->addr) == LK_YES)
                return true;
    }
    return false;
}

static bool is_channel(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    const struct lk_pytype *ty = lk_py_type(py, value);
    bool *found = arg;
    (void)name;
    return !(*found |=
             ty && (strstr(ty->name, "WebSocket") || lk_ends_with(ty->name, "StreamResponse")));
}

/* One that has a websocket or streams its answer waits for the next message. */
static bool has_channel(struct search *x, struct lk_ref task)
{
    const struct lk_pyframes *f = frames_of(x, task);
    bool ret = false;
    for (size_t k = 0; f && k < f->n && !ret; k++)
        lk_py_local_each(x->py, &f->v[k], is_channel, &ret);
    return ret;
}

/* Somebody's code calls the program's in it: a server's, for a request. */
static bool is_of_package(const struct lk_task *k)
{
    return k->stack && k->stack->n &&
           strstr(k->stack->frames[k->stack->n - 1].code->file, "-packages/");
}

static void note_asked(struct search *x, struct lk_ref task)
{
    lk_addr v[MAX_OWN];
    const size_t n = lk_awaited_things(x->py->s, task, false, v, MAX_OWN);
    for (size_t i = 0; n && !has_channel(x, task) && i < n; i++)
        lk_map_put(&x->asked, v[i], 1);
}

/* What tasks that may serve a request, or that a thread's own call runs (a test, a view), wait for,
 * themselves or by way of others. Which of them do is not known before the diagnosis. */
static bool is_asked_by_task(struct search *x, lk_addr lock)
{
    const struct lk_snapshot *s = x->py->s;
    if (!x->asked_read && s->tasks.n <= LK_MAX_ASKED_TASKS) {
        for (size_t i = 0; i < s->tasks.n; i++)
            if (is_of_package(&s->tasks.v[i]))
                note_asked(x, lk_ref_make(LK_KIND_TASK, i));
        for (size_t i = 0; i < s->threads.n; i++)
            if (lk_task_at(s, s->threads.v[i].drives))
                note_asked(x, s->threads.v[i].drives);
    }
    x->asked_read = true;
    return lk_map_get(&x->asked, lock, NULL);
}

/* All that wait in this way do so for ever; and one of them may be a request. */
static bool is_asked(struct search *x, const struct thing *g)
{
    const struct lk_snapshot *s = x->py->s;
    bool serves = false;
    for (size_t i = 0; i < g->waiters.n; i++) {
        const struct lk_wait *w = lk_wait_of(s, g->waiters.v[i]);
        const struct lk_thread *t = lk_thread_at(s, g->waiters.v[i]);
        if (!w || w->timeout_ms != LK_FOREVER)
            return false;
        serves = serves || (t ? !t->main || s->test_env_own || t->python_stack->n > 4
                              : is_asked_by_task(x, g->addr));
    }
    return serves;
}

static bool is_queue(const struct sought *row)
{
    return row->cls == LK_CLASS_QUEUE || row->cls == LK_CLASS_AIO_QUEUE;
}

static void add_lock(struct search *x, size_t i, const struct sought *row)
{
    const struct lk_lock *l = &x->py->s->locks.v[i];
    struct thing g = { .ref = lk_ref_make(LK_KIND_LOCK, i), .addr = l->addr, .row = row };
    if (l->owners.n || l->likely_enders.n ||
        (l->set && (!is_queue(row) || row->wait == LK_WAIT_QUEUE_GET)))
        return;
    for (size_t k = 0; k < l->waiters.n; k++)
        if (lk_wait_of(x->py->s, l->waiters.v[k])->kind == row->wait)
            lk_refs_add(x->py->s, &g.waiters, l->waiters.v[k]);
    if (g.waiters.n && is_asked(x, &g) && !(row->lends && !lends(x, &g)))
        lk_vec_add(&x->things, g);
}

static void add_locks(struct search *x)
{
    for (size_t i = 0; i < x->py->s->locks.n; i++) {
        const struct lk_lock *l = &x->py->s->locks.v[i];
        enum lk_known_class cls =
            l->waiters.n ? lk_py_known_class(x->py, l->addr, NULL) : LK_CLASS_OTHER;
        for (size_t r = 0; cls != LK_CLASS_OTHER && r < LK_ARRAY_LEN(rows); r++)
            if (rows[r].cls == cls)
                add_lock(x, i, &rows[r]);
    }
}

/* Of what it awaits, the future that nobody is known to complete; none. */
static struct lk_ref bare_future(const struct lk_snapshot *s, const struct lk_wait *w)
{
    const struct lk_refs *on = w->kind == LK_WAIT_FUTURE ? &w->on : NULL;
    for (unsigned i = 0; i < MAX_RELAYS && on && on->n == 1; i++) {
        const struct lk_future *f = lk_future_at(s, on->v[0]);
        if (f && !f->enders.n && f->state == LK_FUTURE_PENDING)
            return on->v[0];
        on = f && f->enders_complete ? &f->enders : NULL;
    }
    return lk_ref_make(LK_KIND_NONE, 0);
}

static void add_futures(struct search *x)
{
    struct lk_snapshot *s = x->py->s;
    struct lk_map index = { 0 };
    for (size_t i = 0; i < s->tasks.n && s->tasks.n <= LK_MAX_ASKED_TASKS; i++) {
        const struct lk_task *k = &s->tasks.v[i];
        struct lk_ref f = k->ready ? lk_ref_make(LK_KIND_NONE, 0) : bare_future(s, &k->wait);
        uint64_t at = 0;
        if (f.kind == LK_KIND_NONE)
            continue;
        if (!lk_map_get(&index, f.index, &at)) {
            lk_vec_add(
                &x->things,
                ((struct thing){ .ref = f, .addr = lk_future_at(s, f)->addr, .row = &future_row }));
            at = x->things.n;
            lk_map_put(&index, f.index, at);
        }
        lk_refs_add(s, &x->things.v[at - 1].waiters, lk_ref_make(LK_KIND_TASK, i));
    }
    lk_map_deinit(&index);
}

/* ---- whether somebody could end it ----------------------------------------------------------- */

struct named {
    struct lk_leads_to *l;
    bool found;
};

static bool names_it(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct named *n = arg;
    (void)name;
    return !(n->found = lk_py_leads_to(py, value, n->l));
}

static void tell(struct search *x, const struct thing *g, bool kept, bool next)
{
    struct lk_lock *l = lk_lock_at(x->py->s, g->ref);
    struct lk_future *f = lk_future_at(x->py->s, g->ref);
    if (l) {
        l->unended = g->row->wait;
        l->next_may_end = next;
        l->lent = g->row->lends;
        l->kept_by_waiters = kept;
    } else {
        f->unended = true;
        f->kept_by_waiters = kept;
    }
}

/* `await asyncio.Future()`: what nobody gave a name is meant for nobody; who waits for it stays
 * until he is cancelled. */
static bool is_parked(struct search *x, const struct thing *g)
{
    struct lk_leads_to l = { .wanted = g->addr, .steps = NAMED, .budget = MAX_NAMED };
    bool named = false;
    for (size_t i = 0; i < g->waiters.n && !named; i++) {
        const struct lk_pyframes *f = frames_of(x, g->waiters.v[i]);
        for (size_t k = 0; f && k < f->n && !named; k++) {
            const struct lk_pycode *c = lk_py_code(x->py, f->v[k].code);
            struct named n = { .l = &l };
            if (c && !lk_py_is_library(x->py, c->code->file))
                lk_py_local_each(x->py, &f->v[k], names_it, &n);
            named = n.found;
        }
    }
    return !named;
}

/* Only members of a group that wait for one another can end it. */
static bool is_closed(struct search *x, const struct thing *g)
{
    struct lk_refs has = { 0 };
    if (!x->group_sought)
        x->group = lk_closed_group_find(x->py);
    x->group_sought = true;
    return x->group && lk_closed_group_keeps(x->group, g->addr, &has);
}

static void seek(struct search *x, const struct thing *g)
{
    const struct lk_lock *l = lk_lock_at(x->py->s, g->ref);
    const struct lk_ending e = { .obj = g->addr,
                                 .waiters = &g->waiters,
                                 .methods = g->row->methods,
                                 .unless = g->row->unless,
                                 .others = g->row->others,
                                 .lends = g->row->lends };
    bool idle;
    if (l && l->unended)
        return; /* in another way */
    if (lk_kept_by_waiters(x->could, &e)) {
        if (!is_parked(x, g))
            tell(x, g, true, false);
    } else if (is_closed(x, g)) {
        x->closed = true;
    } else if (!g->row->kept) {
        const enum lk_ends_it by = lk_could_end(x->could, &e, &idle);
        if (by != LK_ENDS_SOMEBODY && (idle || !g->row->kept_or_idle))
            tell(x, g, false, by == LK_ENDS_NEXT);
    }
}

/* ---- who would have to end what a closed group waits for ------------------------------------- */

static struct lk_refs others_who_have(struct search *x, lk_addr thing,
                                      const struct lk_refs *waiters)
{
    struct lk_refs has = { 0 }, ret = { 0 };
    lk_closed_group_keeps(x->group, thing, &has);
    for (size_t i = 0; i < has.n; i++)
        if (!lk_refs_has(waiters, has.v[i]))
            lk_refs_add(x->py->s, &ret, has.v[i]);
    return ret;
}

static void name_members(struct search *x)
{
    struct lk_snapshot *s = x->py->s;
    for (size_t i = 0; i < s->locks.n; i++) {
        struct lk_lock *l = &s->locks.v[i];
        if (l->mutex || l->owners.n || l->likely_enders.n || !l->waiters.n)
            continue;
        l->likely_enders = others_who_have(x, l->addr, &l->waiters);
        l->likely_for = "is at hand only of";
    }
    for (size_t i = 0; i < x->things.n; i++) {
        const struct thing *g = &x->things.v[i];
        struct lk_future *f = lk_future_at(s, g->ref);
        if (!f || f->enders.n)
            continue;
        f->enders = others_who_have(x, g->addr, &g->waiters);
        f->enders_likely = f->enders.n > 0;
    }
}

void lk_py_seek_enders(struct lk_py *py, struct lk_snapshot *s)
{
    struct search x = { .py = py };
    struct lk_map wanted = { 0 };
    if (s != py->s || !s->python.frames_read)
        return;
    lk_py_find_other_enders(py);
    add_locks(&x);
    add_futures(&x);
    for (size_t i = 0; i < x.things.n; i++)
        lk_map_put(&wanted, x.things.v[i].addr, 1);
    x.could = wanted.n ? lk_could_end_new(py, &wanted) : NULL;
    for (size_t i = 0; i < x.things.n; i++)
        if (x.things.v[i].row != &future_row || is_asked(&x, &x.things.v[i]))
            seek(&x, &x.things.v[i]);
    if (x.closed)
        name_members(&x);
    if (x.could)
        lk_could_end_free(x.could);
    lk_closed_group_free(x.group);
    lk_map_deinit(&wanted);
    lk_map_deinit(&x.asked);
    lk_free(x.things.v);
    lk_free(x.chain.v);
}

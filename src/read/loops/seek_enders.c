/*
 * Looks for whoever could end the wait for an Event, a Semaphore, a Barrier, a full or unfinished
 * Queue, or for something that a queue lends: threads and tasks that have the object, timers and
 * signal handlers that lead to it, consumers to which the waiter may have given it, and code of the
 * program that may be called at any time. That somebody has it says that he could, not that he
 * will; only where nobody has it anything is said.
 */
#include "read/loops/awaited.h"
#include "read/python/python.h"

#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/leads_to.h"
#include "read/python/reader/method_calls.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/code_in_reach.h"
#include "read/python/stdlib/future_object.h"
#include "read/python/stdlib/signal_handlers.h"
#include "util/memory.h"

enum {
    MAX_TASKS = 5000,   /* more are not asked each: it would take longer than the sample */
    MAX_LOOKS = 400000, /* objects looked at in one sample */
    SEARCH = 20000,     /* ... and from one variable */
    STEPS = 5,
    MAX_ITERATED = 16, /* slots of a value stack */
    MAX_OWN = 16,      /* things that one party waits for, in the end */
};

static const char *const sets[] = { "set", NULL };
static const char *const releases[] = { "release", NULL };
static const char *const waits[] = { "wait", NULL };
static const char *const gets[] = { "get", "get_nowait", NULL };
static const char *const reports[] = { "task_done", NULL };
static const char *const puts_back[] = { "put", "put_nowait", NULL };
static const char *const notifies[] = { "notify", "notify_all", NULL };

static const struct sought {
    enum lk_known_class cls;
    enum lk_wait_kind wait;
    const char *const *methods;
    /* code that calls this as well needs one itself before it gives one back */
    const char *unless;
    /* the waiter's own code does not count: it is what waits, and what it would set it has, were it
     * not for others, made itself */
    bool others;
    bool lends;
} rows[] = {
    { LK_CLASS_EVENT, LK_WAIT_EVENT, sets, NULL, true, false },
    { LK_CLASS_SEMAPHORE, LK_WAIT_SEMAPHORE, releases, "acquire", false, false },
    { LK_CLASS_BARRIER, LK_WAIT_BARRIER, waits, NULL, true, false },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_PUT, gets, NULL, false, false },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_JOIN, reports, NULL, false, false },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_GET, puts_back, "get", false, true },
    { LK_CLASS_AIO_EVENT, LK_WAIT_EVENT, sets, NULL, true, false },
    { LK_CLASS_AIO_CONDITION, LK_WAIT_CONDITION, notifies, NULL, false, false },
    { LK_CLASS_AIO_SEMAPHORE, LK_WAIT_SEMAPHORE, releases, "acquire", false, false },
    { LK_CLASS_AIO_BARRIER, LK_WAIT_BARRIER, waits, NULL, true, false },
    { LK_CLASS_AIO_QUEUE, LK_WAIT_QUEUE_PUT, gets, NULL, false, false },
    { LK_CLASS_AIO_QUEUE, LK_WAIT_QUEUE_JOIN, reports, NULL, false, false },
    { LK_CLASS_AIO_QUEUE, LK_WAIT_QUEUE_GET, puts_back, "get", false, true },
};

/* Which of the things that are asked for somebody has; all: that could not be told. */
struct reached {
    struct lk_map has;
    bool looked, all;
    /* what the party waits for in the end: it may have that at hand, and cannot use it before */
    lk_addr own[MAX_OWN];
    size_t n_own;
};

/* What was found of the code of a waiter that stands at one place. */
struct of_code {
    const struct lk_pystack *stack;
    const struct sought *row;
    bool found;
};

struct search {
    struct lk_py *py;
    const struct lk_lock *lock;
    const struct sought *row;
    unsigned budget;
    bool found;
    struct lk_map wanted; /* addresses of all that is asked for */
    struct lk_map asked;  /* ... of what requests that are tasks wait for */
    bool asked_read;
    struct reached *threads; /* by thread */
    struct reached tasks;    /* all of them together */
    LK_VEC(struct of_code) codes;
    struct lk_pyframes chain; /* buffer */
};

static const struct lk_wait *wait_of(const struct lk_snapshot *s, struct lk_ref who)
{
    const struct lk_thread *t = lk_thread_at(s, who);
    const struct lk_task *k = lk_task_at(s, who);
    return t ? &t->wait : k ? &k->wait : NULL;
}

/* False when its await chain was cut. */
static bool read_chain(struct lk_py *py, const struct lk_task *k, struct lk_pyframes *chain)
{
    bool truncated = false;
    chain->n = 0;
    if (k->state == LK_TASK_PENDING)
        lk_aio_await_chain(py, k->addr, chain, &truncated);
    return !truncated;
}

/* Of a thread or task; NULL. Good until the next call. */
static const struct lk_pyframes *frames_of(struct search *x, struct lk_ref who)
{
    const struct lk_task *k = lk_task_at(x->py->s, who);
    if (!k)
        return lk_py_frames_of_thread(x->py, who.index);
    return read_chain(x->py, k, &x->chain) && x->chain.n ? &x->chain : NULL;
}

/* ---- who has it ------------------------------------------------------------------------------ */

static bool leads(struct search *x, lk_addr from)
{
    struct lk_leads_to l = { .wanted = x->lock->addr,
                             .steps = STEPS,
                             .budget = LK_MIN(x->budget, (unsigned)SEARCH) };
    unsigned before = l.budget;
    bool ret = from && lk_py_leads_to(x->py, from, &l);
    x->budget -= before - l.budget;
    return ret || x->budget == 0;
}

struct roots {
    lk_addr *v;
    size_t n, cap;
};

static bool add_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    (void)py;
    (void)name;
    struct roots *r = arg;
    if (value)
        lk_vec_add(r, value);
    return true;
}

/* What a `for` goes through has no name: it stands below the call that has not returned. How many
 * slots are in use is not known then; a generator that stands in one of the others was there a
 * moment ago. */
static void add_stack(struct lk_py *py, const struct lk_pyf *f, const struct lk_pycode *c,
                      struct roots *r)
{
    int n = f->stack_depth < 0 ? c->stacksize : f->stack_depth;
    for (int i = 0; i < LK_MIN(n, MAX_ITERATED); i++) {
        lk_addr obj = lk_py_stack_slot(py, f, i);
        if (obj && (f->stack_depth >= 0 || lk_py_kind(py, obj) == LK_PYK_GENERATOR))
            lk_vec_add(r, obj);
    }
}

static bool is_own(const struct reached *r, lk_addr obj)
{
    for (size_t i = 0; i < r->n_own; i++)
        if (r->own[i] == obj)
            return true;
    return false;
}

static void note_met(struct lk_py *py, lk_addr obj, void *arg)
{
    (void)py;
    struct reached *r = arg;
    if (!is_own(r, obj))
        lk_map_put(&r->has, obj, 1);
}

/* A module's variables are all there is in it: who runs its code need not have them in mind. */
static void reach(struct search *x, const struct lk_pyframes *frames, struct reached *to)
{
    struct roots roots = { 0 };
    struct lk_leads_to l = { .each = &x->wanted,
                             .met = note_met,
                             .arg = to,
                             .steps = STEPS,
                             .budget = LK_MIN(x->budget, (unsigned)SEARCH) };
    unsigned before = l.budget;
    for (size_t i = 0; frames && i < frames->n; i++) {
        const struct lk_pycode *c = lk_py_code(x->py, frames->v[i].code);
        if (c && strcmp(c->code->function, "<module>") != 0)
            lk_py_local_each(x->py, &frames->v[i], add_local, &roots);
        if (c)
            add_stack(x->py, &frames->v[i], c, &roots);
    }
    to->all |= lk_py_lead_to(x->py, roots.v, roots.n, &l);
    x->budget -= before - l.budget;
    lk_free(roots.v);
}

static bool reaches(const struct search *x, const struct reached *r)
{
    return r->all || lk_map_get(&r->has, x->lock->addr, NULL);
}

static bool may_call(struct search *x, const struct lk_pyf *f)
{
    for (const char *const *m = x->row->methods; *m; m++)
        if (lk_py_will_call_method_on(x->py, f, *m, x->lock->addr) != LK_NO)
            return true;
    return false;
}

/* A frame of the program is going to end it. */
static void ask_frames(struct search *x, const struct lk_pyframes *frames)
{
    for (size_t i = 0; frames && i < frames->n && !x->found; i++) {
        const struct lk_pycode *c = lk_py_code(x->py, frames->v[i].code);
        x->found |= c && !lk_py_of_stdlib(x->py, c->code) && !strstr(c->code->file, "-packages/") &&
                    may_call(x, &frames->v[i]);
    }
}

static bool only_serves(const struct lk_thread *t)
{
    if (t->wait.kind == LK_WAIT_SELECTOR || t->wait.kind == LK_WAIT_EXECUTOR_IDLE ||
        (t->wait.traits & LK_WAIT_LISTENS) || t->os.listening)
        return true;
    for (uint32_t i = 0; i < t->python_stack->n; i++)
        if (strcmp(t->python_stack->frames[i].code->function, "serve_forever") == 0)
            return true;
    return false;
}

/* Of what a waiter has given to a consumer, that one does what it is told. */
static bool serves_waiter(struct search *x, const struct lk_thread *t)
{
    for (size_t i = 0; i < t->wait.on.n; i++) {
        const struct lk_lock *l = lk_lock_at(x->py->s, t->wait.on.v[i]);
        if (t->wait.kind != LK_WAIT_QUEUE_GET && t->wait.kind != LK_WAIT_CONDITION)
            return false;
        for (size_t k = 0; l && k < x->lock->waiters.n; k++) {
            struct lk_reach_query q = { .waiter = frames_of(x, x->lock->waiters.v[k]),
                                        .obj = l->addr,
                                        .budget = &x->budget };
            if (q.waiter && lk_py_code_has(x->py, &q))
                return true;
        }
    }
    return false;
}

static void ask_threads(struct search *x)
{
    const struct lk_snapshot *s = x->py->s;
    for (size_t i = 0; i < s->threads.n && !x->found; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(x->py, i);
        if (lk_refs_has(&x->lock->waiters, lk_ref_make(LK_KIND_THREAD, i)) ||
            only_serves(&s->threads.v[i]))
            continue;
        struct reached *r = &x->threads[i];
        if (!r->looked) {
            r->n_own = lk_awaited_locks(s, lk_ref_make(LK_KIND_THREAD, i), r->own, MAX_OWN);
            reach(x, frames, r);
        }
        r->looked = true;
        if (is_own(r, x->lock->addr))
            continue;
        x->found |= reaches(x, r);
        ask_frames(x, frames);
    }
}

static void reach_tasks(struct search *x)
{
    struct lk_py *py = x->py;
    x->tasks.all |= py->s->tasks.n > MAX_TASKS; /* any of them may */
    for (size_t i = 0; i < py->s->tasks.n && !x->tasks.all; i++) {
        const struct lk_task *k = &py->s->tasks.v[i];
        /* what a greenlet has is not read */
        x->tasks.all |= k->kind != LK_TASK_COROUTINE || !read_chain(py, k, &x->chain);
        x->tasks.n_own =
            lk_awaited_locks(py->s, lk_ref_make(LK_KIND_TASK, i), x->tasks.own, MAX_OWN);
        if (!x->tasks.all && x->chain.n)
            reach(x, &x->chain, &x->tasks);
    }
}

static void ask_tasks(struct search *x)
{
    if (!x->tasks.looked)
        reach_tasks(x);
    x->tasks.looked = true;
    x->found |= reaches(x, &x->tasks);
}

static bool is_reached_by(struct search *x, lk_addr callback, lk_addr args)
{
    for (const char *const *m = x->row->methods; *m; m++)
        if (lk_py_callable_reaches(x->py, callback, *m, x->lock->addr) == LK_YES)
            return true;
    return leads(x, callback) || leads(x, args);
}

/* Timers, handlers, and what stands in queues of loops and pools, whatever it is. */
static void ask_callbacks(struct search *x)
{
    const struct lk_snapshot *s = x->py->s;
    const struct lk_reader *a = lk_reader(x->py);
    x->found |= !a->handlers.known;
    for (size_t i = 0; i < a->handlers.n && !x->found; i++)
        x->found |= is_reached_by(x, a->handlers.v[i], 0);
    for (size_t i = 0; i < x->py->timers.n && !x->found; i++)
        x->found |= is_reached_by(x, x->py->timers.v[i].callback, x->py->timers.v[i].args);
    for (size_t i = 0; i < s->loops.n; i++)
        x->found |= s->loops.v[i].ready != 0;
    for (size_t i = 0; i < s->executors.n; i++)
        x->found |= s->executors.v[i].queued != 0;
}

static void ask_code_of(struct search *x, struct lk_ref waiter)
{
    struct lk_reach_query q = {
        .obj = x->lock->addr,
        .methods = x->row->methods,
        .unless = x->row->unless,
        .others = x->row->others,
        .kept = x->row->lends,
        .budget = &x->budget,
    };
    const struct lk_snapshot *s = x->py->s;
    for (size_t i = 0; i < s->threads.n && !x->found; i++)
        x->found |= !lk_refs_has(&x->lock->waiters, lk_ref_make(LK_KIND_THREAD, i)) &&
                    serves_waiter(x, &s->threads.v[i]);
    q.waiter = frames_of(x, waiter);
    x->found |= !q.waiter || lk_py_code_is_in_reach(x->py, &q);
}

/* Code names things alike wherever it stands at the same place: it is asked once. */
static void ask_code(struct search *x)
{
    for (size_t i = 0; i < x->lock->waiters.n && !x->found; i++) {
        const struct lk_ref waiter = x->lock->waiters.v[i];
        const struct lk_task *task = lk_task_at(x->py->s, waiter);
        const struct lk_pystack *stack =
            task ? task->stack : lk_thread_at(x->py->s, waiter)->python_stack;
        size_t k = 0;
        while (k < x->codes.n && (x->codes.v[k].stack != stack || x->codes.v[k].row != x->row))
            k++;
        if (k == x->codes.n) {
            ask_code_of(x, waiter);
            lk_vec_add(&x->codes, ((struct of_code){ stack, x->row, x->found }));
        }
        x->found |= x->codes.v[k].found;
    }
}

/* ---- what is asked for -------------------------------------------------------------------------
 */

/* Connections are lent last in, first out; or whoever takes one is going to put it back. */
static bool lends(struct search *x, const struct lk_lock *l)
{
    if (lk_py_isinstance(x->py, l->addr, "queue", "LifoQueue") ||
        lk_py_isinstance(x->py, l->addr, "asyncio.queues", "LifoQueue"))
        return true;
    for (size_t i = 0; i < l->waiters.n; i++) {
        const struct lk_pyframes *f = frames_of(x, l->waiters.v[i]);
        for (size_t k = 0; f && k < f->n; k++)
            if (lk_py_will_call_method_on(x->py, &f->v[k], "put", l->addr) == LK_YES)
                return true;
    }
    return false;
}

static const struct sought *row_of(struct lk_py *py, const struct lk_lock *l)
{
    enum lk_known_class cls = lk_py_known_class(py, l->addr, NULL);
    const struct lk_wait *w = wait_of(py->s, l->waiters.v[0]);
    for (size_t i = 0; w && i < LK_ARRAY_LEN(rows); i++)
        if (rows[i].cls == cls && rows[i].wait == w->kind)
            return &rows[i];
    return NULL;
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
    const size_t n = lk_awaited_locks(x->py->s, task, v, MAX_OWN);
    for (size_t i = 0; n && !has_channel(x, task) && i < n; i++)
        lk_map_put(&x->asked, v[i], 1);
}

/* What tasks that may serve a request, or that a thread's own call runs (a test, a view), wait for,
 * themselves or by way of others. Which of them do is not known before the diagnosis. */
static bool is_asked_by_task(struct search *x, lk_addr lock)
{
    const struct lk_snapshot *s = x->py->s;
    if (!x->asked_read && s->tasks.n <= MAX_TASKS) {
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

/* All that wait for it do so in the same way, and for ever; and one of them may be a request. */
static bool is_asked(struct search *x, const struct lk_lock *l, const struct sought *row)
{
    const struct lk_snapshot *s = x->py->s;
    bool serves = false;
    if (l->owners.n || l->likely_enders.n)
        return false;
    for (size_t i = 0; i < l->waiters.n; i++) {
        const struct lk_wait *w = wait_of(s, l->waiters.v[i]);
        const struct lk_thread *t = lk_thread_at(s, l->waiters.v[i]);
        if (!w || w->kind != row->wait || w->timeout_ms != LK_FOREVER)
            return false;
        serves = serves || (t ? !t->main || s->test_env_own || t->python_stack->n > 4
                              : is_asked_by_task(x, l->addr));
    }
    return serves;
}

static void seek(struct search *x, struct lk_lock *l)
{
    x->lock = l;
    x->row = row_of(x->py, l);
    x->found = false;
    l->lent = x->row->lends;
    ask_callbacks(x);
    if (!x->found)
        ask_threads(x);
    if (!x->found)
        ask_tasks(x);
    if (!x->found)
        ask_code(x);
    l->nobody_found = !x->found && x->budget > 0;
}

static bool is_sought(struct search *x, const struct lk_lock *l)
{
    const struct sought *row = l->waiters.n ? row_of(x->py, l) : NULL;
    return row && is_asked(x, l, row) &&
           !(l->set && row->cls != LK_CLASS_QUEUE && row->cls != LK_CLASS_AIO_QUEUE) &&
           !(row->lends && (l->set || !lends(x, l)));
}

void lk_py_seek_enders(struct lk_py *py, struct lk_snapshot *s)
{
    struct search x = { .py = py, .budget = MAX_LOOKS };
    for (size_t i = 0; s == py->s && s->python.frames_read && i < s->locks.n; i++)
        if (is_sought(&x, &s->locks.v[i]))
            lk_map_put(&x.wanted, s->locks.v[i].addr, 1);
    if (x.wanted.n) {
        lk_py_read_signal_handlers(py);
        x.threads = lk_xcalloc(s->threads.n, sizeof *x.threads);
    }
    for (size_t i = 0; x.wanted.n && i < s->locks.n && x.budget; i++)
        if (lk_map_get(&x.wanted, s->locks.v[i].addr, NULL) && is_sought(&x, &s->locks.v[i]))
            seek(&x, &s->locks.v[i]);
    for (size_t i = 0; x.threads && i < s->threads.n; i++)
        lk_map_deinit(&x.threads[i].has);
    lk_map_deinit(&x.tasks.has);
    lk_map_deinit(&x.asked);
    lk_map_deinit(&x.wanted);
    lk_free(x.codes.v);
    lk_free(x.chain.v);
    lk_free(x.threads);
}

/*
 * Looks for whoever could end the wait for an Event, a Semaphore, a Barrier, a full or unfinished
 * Queue, or for something that a queue lends: threads and tasks that have the object, timers and
 * signal handlers that lead to it, consumers to which the waiter may have given it, and code of the
 * program that may be called at any time. That somebody has it says that he could, not that he
 * will; only where nobody has it anything is said.
 */
#include "read/python/python.h"

#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/coroutine.h"
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
    MAX_LOOKS = 200000, /* objects looked at in one sample */
    SEARCH = 20000,     /* ... and from one variable */
    STEPS = 5,
    MAX_ITERATED = 16, /* slots of a value stack */
};

static const char *const sets[] = { "set", NULL };
static const char *const releases[] = { "release", NULL };
static const char *const waits[] = { "wait", NULL };
static const char *const gets[] = { "get", "get_nowait", NULL };
static const char *const reports[] = { "task_done", NULL };
static const char *const puts_back[] = { "put", "put_nowait", NULL };

static const struct sought {
    enum lk_known_class cls;
    enum lk_wait_kind wait;
    const char *const *methods;
    /* code that calls this as well needs one itself before it gives one back */
    const char *unless;
    bool others; /* the waiter's own code does not count: it is what waits */
    bool lends;
} rows[] = {
    { LK_CLASS_EVENT, LK_WAIT_EVENT, sets, NULL, false, false },
    { LK_CLASS_SEMAPHORE, LK_WAIT_SEMAPHORE, releases, "acquire", false, false },
    { LK_CLASS_BARRIER, LK_WAIT_BARRIER, waits, NULL, true, false },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_PUT, gets, NULL, false, false },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_JOIN, reports, NULL, false, false },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_GET, puts_back, "get", false, true },
};

struct search {
    struct lk_py *py;
    const struct lk_lock *lock;
    const struct sought *row;
    unsigned budget;
    bool found;
};

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

static bool ask_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    (void)py;
    (void)name;
    struct search *x = arg;
    x->found |= leads(x, value);
    return !x->found;
}

/* What a `for` goes through has no name: it stands below the call that has not returned. How many
 * slots are in use is not known then; a generator that stands in one of the others was there a
 * moment ago. */
static void ask_stack(struct search *x, const struct lk_pyf *f, const struct lk_pycode *c)
{
    int n = f->stack_depth < 0 ? c->stacksize : f->stack_depth;
    for (int i = 0; i < LK_MIN(n, MAX_ITERATED) && !x->found; i++) {
        lk_addr obj = lk_py_stack_slot(x->py, f, i);
        if (obj && (f->stack_depth >= 0 || lk_py_kind(x->py, obj) == LK_PYK_GENERATOR))
            x->found |= leads(x, obj);
    }
}

static bool may_call(struct search *x, const struct lk_pyf *f)
{
    for (const char *const *m = x->row->methods; *m; m++)
        if (lk_py_will_call_method_on(x->py, f, *m, x->lock->addr) != LK_NO)
            return true;
    return false;
}

/* A module's variables are all there is in it: of its frame only what it is going to call counts.
 */
static void ask_frames(struct search *x, const struct lk_pyframes *frames)
{
    for (size_t i = 0; frames && i < frames->n && !x->found; i++) {
        const struct lk_pycode *c = lk_py_code(x->py, frames->v[i].code);
        if (!c)
            continue;
        bool own = !lk_py_of_stdlib(x->py, c->code) && !strstr(c->code->file, "-packages/");
        x->found |= own && may_call(x, &frames->v[i]);
        if (!x->found && strcmp(c->code->function, "<module>") != 0)
            lk_py_local_each(x->py, &frames->v[i], ask_local, x);
        if (!x->found)
            ask_stack(x, &frames->v[i], c);
    }
}

static bool waits_here(const struct lk_lock *l, size_t thread)
{
    for (size_t i = 0; i < l->waiters.n; i++)
        if (lk_ref_eq(l->waiters.v[i], lk_ref_make(LK_KIND_THREAD, thread)))
            return true;
    return false;
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
            struct lk_reach_query q = { .waiter = lk_py_frames_of_thread(
                                            x->py, x->lock->waiters.v[k].index),
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
        const struct lk_thread *t = &s->threads.v[i];
        if (waits_here(x->lock, i) || only_serves(t))
            continue;
        x->found |= serves_waiter(x, t);
        ask_frames(x, lk_py_frames_of_thread(x->py, i));
    }
}

static void ask_tasks(struct search *x)
{
    struct lk_py *py = x->py;
    struct lk_pyframes chain = { 0 };
    for (size_t i = 0; i < py->s->tasks.n && !x->found; i++) {
        const struct lk_task *k = &py->s->tasks.v[i];
        struct lk_aio_fut f;
        lk_addr leaf;
        const char *leaf_type;
        bool truncated = false;
        if (k->kind != LK_TASK_COROUTINE) {
            x->found = true; /* what a greenlet has is not read */
            break;
        }
        if (k->state != LK_TASK_PENDING || !lk_aio_read_fut(py, k->addr, &f) || !f.coro)
            continue;
        chain.n = 0;
        lk_py_await_chain(py, f.coro, &chain, &leaf, &leaf_type, &truncated);
        x->found |= truncated;
        ask_frames(x, &chain);
    }
    lk_free(chain.v);
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

static void ask_code(struct search *x)
{
    for (size_t i = 0; i < x->lock->waiters.n && !x->found; i++) {
        struct lk_reach_query q = {
            .waiter = lk_py_frames_of_thread(x->py, x->lock->waiters.v[i].index),
            .obj = x->lock->addr,
            .methods = x->row->methods,
            .unless = x->row->unless,
            .others = x->row->others,
            .kept = x->row->lends,
            .budget = &x->budget,
        };
        x->found |= !q.waiter || lk_py_code_is_in_reach(x->py, &q);
    }
}

/* ---- what is asked for -------------------------------------------------------------------------
 */

/* Connections are lent last in, first out; or whoever takes one is going to put it back. */
static bool lends(struct lk_py *py, const struct lk_lock *l)
{
    if (lk_py_isinstance(py, l->addr, "queue", "LifoQueue"))
        return true;
    for (size_t i = 0; i < l->waiters.n; i++) {
        const struct lk_pyframes *f = lk_py_frames_of_thread(py, l->waiters.v[i].index);
        for (size_t k = 0; f && k < f->n; k++)
            if (lk_py_will_call_method_on(py, &f->v[k], "put", l->addr) == LK_YES)
                return true;
    }
    return false;
}

static const struct sought *row_of(struct lk_py *py, const struct lk_lock *l)
{
    enum lk_known_class cls = lk_py_known_class(py, l->addr, NULL);
    const struct lk_thread *t = lk_thread_at(py->s, l->waiters.v[0]);
    for (size_t i = 0; t && i < LK_ARRAY_LEN(rows); i++)
        if (rows[i].cls == cls && rows[i].wait == t->wait.kind)
            return &rows[i];
    return NULL;
}

/* All that wait for it are threads that do so in the same way, and for ever; and one of them may be
 * a request. */
static bool is_asked(const struct lk_py *py, const struct lk_lock *l, const struct sought *row)
{
    bool serves = false;
    for (size_t i = 0; i < l->waiters.n; i++) {
        const struct lk_thread *t = lk_thread_at(py->s, l->waiters.v[i]);
        if (!t || t->wait.kind != row->wait || t->wait.timeout_ms != LK_FOREVER)
            return false;
        serves |= !t->main || py->s->test_env_own || t->python_stack->n > 4;
    }
    return serves && l->owners.n == 0 && l->likely_enders.n == 0;
}

static void seek(struct search *x, struct lk_lock *l)
{
    x->found = false;
    l->lent = x->row->lends;
    ask_callbacks(x);
    ask_threads(x);
    if (!x->found)
        ask_tasks(x);
    ask_code(x);
    l->nobody_found = !x->found && x->budget > 0;
}

void lk_py_seek_enders(struct lk_py *py, struct lk_snapshot *s)
{
    struct search x = { .py = py, .budget = MAX_LOOKS };
    bool handlers = false;
    for (size_t i = 0; s == py->s && s->python.frames_read && i < s->locks.n && x.budget; i++) {
        struct lk_lock *l = &s->locks.v[i];
        x.lock = l;
        x.row = l->waiters.n ? row_of(py, l) : NULL;
        if (!x.row || !is_asked(py, l, x.row) || (l->set && x.row->cls != LK_CLASS_QUEUE) ||
            (x.row->lends && (l->set || !lends(py, l))))
            continue;
        if (!handlers)
            lk_py_read_signal_handlers(py);
        handlers = true;
        seek(&x, l);
    }
}

/*
 * blockingCallFromThread (twisted/internet/threads.py, 22.4 - 26.10) hands a function to the
 * reactor and waits on a Queue that this function has in its closure, too. Called, the function
 * leaves the Queue's put() among the callbacks of a Deferred. So the call is the reactor's as long
 * as the function stands in threadCallQueue (on asyncio's loop: in its ready queue, within the
 * lambda of asyncioreactor.py callFromThread) or runs; then the pool's, where the Deferred is that
 * of deferToThread: the pool keeps, queued or in the frame of a worker, a function inContext whose
 * onResult has the Deferred in its closure; or a timer's, which calls the Deferred's callback().
 * A Deferred that waits for another one stands among that one's callbacks: as an argument, by its
 * own callback(), or as that of the generator or coroutine (defer.py _CancellationStatus) that goes
 * on then. A thread that has such a Deferred among its variables may fire it. Nothing else is
 * looked for: the wait is open then.
 */
#include "read/loops/twisted/calls.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/thread_object.h"

enum {
    MAX_QUEUED = 4096, /* calls that are looked at, of one queue */
    MAX_CALLBACKS = 64,
    MAX_CHAINED = 16, /* Deferreds that wait for each other */
    STATUS = 2,       /* argument of _gotResultInlineCallbacks, in 24 and later */
};

#define THREADS "/twisted/internet/threads.py"
#define POOL    "/twisted/python/threadpool.py"

/* One call that a thread waits for. */
struct call {
    lk_addr queue, reactor;
    struct lk_ref future, loop;
};

/* ---- the reactor ------------------------------------------------------------------------- */

static lk_addr loop_object(struct lk_py *py, lk_addr reactor)
{
    lk_addr own = lk_py_attr(py, reactor, "_asyncioEventloop");
    return own ? own : reactor;
}

static bool puts_there(struct lk_py *py, lk_addr function, lk_addr queue)
{
    if (lk_py_kind(py, function) != LK_PYK_FUNCTION)
        return false;
    lk_addr inner =
        lk_py_closure(py, function, "f"); /* asyncioreactor's lambda; later `callable` */
    inner = inner ? inner : lk_py_closure(py, function, "callable");
    return lk_py_closure(py, function, "queue") == queue ||
           (inner && lk_py_kind(py, inner) == LK_PYK_FUNCTION &&
            lk_py_closure(py, inner, "queue") == queue);
}

/* items: tuples that begin with a function, or handles that have one. */
static bool stands_in(struct lk_py *py, lk_addr container, lk_addr queue)
{
    size_t n = 0;
    lk_addr *items = container ? lk_py_items(py, container, MAX_QUEUED, &n) : NULL;
    for (size_t i = 0; items && i < n; i++) {
        lk_addr function = lk_py_kind(py, items[i]) == LK_PYK_TUPLE
                               ? lk_py_item(py, items[i], 0)
                               : lk_py_attr(py, items[i], "_callback");
        if (function && puts_there(py, function, queue))
            return true;
    }
    return false;
}

/* It is being called: on the stack of the thread that runs the loop. */
static bool is_being_called(struct lk_py *py, lk_addr queue)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        for (size_t k = 0; frames && k < frames->n; k++)
            if (lk_py_frame_is(py, &frames->v[k], "_callFromThread", THREADS) &&
                lk_py_local(py, &frames->v[k], "queue") == queue)
                return true;
    }
    return false;
}

static bool is_reactors(struct lk_py *py, const struct call *c)
{
    return stands_in(py, lk_py_attr(py, c->reactor, "threadCallQueue"), c->queue) ||
           stands_in(py, lk_py_attr(py, loop_object(py, c->reactor), "_ready"), c->queue) ||
           is_being_called(py, c->queue);
}

/* ---- Deferreds --------------------------------------------------------------------------- */

/* From a Deferred to those that it fires. */
struct chase {
    struct lk_py *py;
    lk_addr queue;
    struct lk_map seen;
    bool others; /* one on the way need not wait for that: others may fire it as well */
};

static bool fires(struct chase *x, lk_addr deferred, unsigned chained);

/* The Deferred that a generator or coroutine of inlineCallbacks fires when it ends. */
static lk_addr generators(struct lk_py *py, lk_addr function, lk_addr args)
{
    lk_addr status = lk_py_kind(py, function) != LK_PYK_FUNCTION ? 0
                     : args && lk_py_len(py, args) > STATUS      ? lk_py_item(py, args, STATUS)
                                                            : lk_py_closure(py, function, "status");
    return status ? lk_py_attr(py, status, "deferred") : 0;
}

/* It is fired when all that it lists are, and not by the first of them (defer.py DeferredList). */
static bool waits_for_all(struct lk_py *py, lk_addr deferred)
{
    static const char *const early[] = { "fireOnOneCallback", "fireOnOneErrback" };
    bool ret = lk_py_isinstance(py, deferred, "twisted.internet.defer", "DeferredList");
    for (size_t i = 0; i < LK_ARRAY_LEN(early) && ret; i++) {
        lk_addr v = lk_py_attr(py, deferred, early[i]);
        ret = v && lk_py_bool(py, v) == LK_NO;
    }
    return ret;
}

/* A callback: (function, arguments, keywords). A method of another Deferred fires that, as whoever
 * else has it may. */
static bool fires_by(struct chase *x, lk_addr callback, unsigned chained)
{
    struct lk_py *py = x->py;
    lk_addr func, self, function = lk_py_item(py, callback, 0), args = lk_py_item(py, callback, 1);
    if (!function)
        return false;
    if (lk_py_method(py, function, &func, &self)) {
        if (self == x->queue)
            return true;
        if (!fires(x, self, chained + 1))
            return false;
        x->others |= !waits_for_all(py, self);
        return true;
    }
    args = args && lk_py_kind(py, args) == LK_PYK_TUPLE ? args : 0;
    lk_addr next =
        args && lk_py_len(py, args) == 1 ? lk_py_item(py, args, 0) : generators(py, function, args);
    return next && fires(x, next, chained + 1);
}

static bool fires(struct chase *x, lk_addr deferred, unsigned chained)
{
    struct lk_py *py = x->py;
    size_t n = 0;
    if (chained == MAX_CHAINED || !lk_map_add(&x->seen, deferred, 1))
        return false;
    lk_addr list = lk_py_attr(py, deferred, "_callbacks");
    list = list ? list : lk_py_attr(py, deferred, "callbacks"); /* up to 24 */
    lk_addr *items = list && lk_py_kind(py, list) == LK_PYK_LIST
                         ? lk_py_items(py, list, MAX_CALLBACKS, &n)
                         : NULL;
    for (size_t i = 0; items && i < n; i++)
        if (fires_by(x, lk_py_item(py, items[i], 0), chained))
            return true;
    return false;
}

/* The Deferred's being fired puts the result where the call waits for it. others (may be NULL):
 * something else may do so before. */
static bool completes(struct lk_py *py, lk_addr deferred, lk_addr queue, bool *others)
{
    struct chase x = { .py = py, .queue = queue };
    const bool ret = fires(&x, deferred, 0);
    lk_map_deinit(&x.seen);
    if (others)
        *others = x.others;
    return ret;
}

/* Work of the pool, done or not, that will fire a Deferred; 0. */
static lk_addr deferred_of(struct lk_py *py, lk_addr in_context)
{
    lk_addr report = lk_py_attr(py, in_context, "onResult");
    return report && lk_py_kind(py, report) == LK_PYK_FUNCTION ? lk_py_closure(py, report, "d") : 0;
}

static void set_ender(struct lk_py *py, struct call *c, lk_addr deferred, struct lk_ref ender,
                      enum lk_future_origin origin)
{
    struct lk_future *f = lk_future_at(py->s, c->future);
    bool others;
    if (!deferred || f->enders.n || !completes(py, deferred, c->queue, &others))
        return;
    f->state = LK_FUTURE_RUNNING;
    f->origin = origin;
    f->enders_complete = !others;
    lk_refs_add(py->s, &f->enders, ender);
}

/* ---- timers ------------------------------------------------------------------------------ */

/* A method of a Deferred that completes the call (cancel; callback, as deferLater() has it), or the
 * function of its addTimeout(). */
static bool may_end(struct lk_py *py, const struct call *c, lk_addr callable)
{
    static const char *const names[] = { "self", "d" };
    lk_addr func, self;
    if (lk_py_method(py, callable, &func, &self))
        return completes(py, self, c->queue, NULL);
    for (size_t i = 0; lk_py_kind(py, callable) == LK_PYK_FUNCTION && i < LK_ARRAY_LEN(names);
         i++) {
        self = lk_py_closure(py, callable, names[i]);
        if (self && completes(py, self, c->queue, NULL))
            return true;
    }
    return false;
}

static bool some_timer(struct lk_py *py, const struct call *c)
{
    static const char *const lists[] = { "_pendingTimedCalls", "_newTimedCalls" };
    for (size_t l = 0; l < LK_ARRAY_LEN(lists); l++) {
        size_t n = 0;
        lk_addr list = lk_py_attr(py, c->reactor, lists[l]),
                *items = list ? lk_py_items(py, list, MAX_QUEUED, &n) : NULL;
        for (size_t i = 0; items && i < n; i++) {
            lk_addr func = lk_py_attr(py, items[i], "func");
            if (func && may_end(py, c, func))
                return true;
        }
    }
    return false;
}

static void add_timer(struct lk_py *py, const struct call *c)
{
    lk_refs_add(py->s, &lk_future_at(py->s, c->future)->enders,
                lk_snapshot_extern(py->s, LK_EXT_TIMER, "a timer of the reactor", LK_UNKNOWN));
}

/* ---- the pool ---------------------------------------------------------------------------- */

static void add_workers(struct lk_py *py, struct lk_ref ref, lk_addr pool)
{
    size_t n = 0;
    lk_addr list = lk_py_attr(py, pool, "threads"),
            *items = list ? lk_py_items(py, list, LK_PY_MAX_THREADS, &n) : NULL;
    for (size_t i = 0; items && i < n; i++) {
        bool known;
        struct lk_ref thread = lk_py_thread_of_object(py, items[i], &known);
        if (thread.kind != LK_KIND_THREAD)
            continue;
        py->s->threads.v[thread.index].works_for = ref;
        lk_refs_add(py->s, &lk_executor_at(py->s, ref)->workers, thread);
    }
}

static lk_addr queued_work(struct lk_py *py, lk_addr pool)
{
    lk_addr team = lk_py_attr(py, pool, "_team");
    return team ? lk_py_attr(py, team, "_pending") : 0;
}

static struct lk_ref enter_pool(struct lk_py *py, lk_addr pool)
{
    bool is_new;
    int64_t most;
    struct lk_ref ref = lk_snapshot_executor(py->s, pool, &is_new);
    struct lk_executor *x = lk_executor_at(py->s, ref);
    if (!is_new)
        return ref;
    lk_addr pending = queued_work(py, pool);
    int64_t queued = pending ? lk_py_len(py, pending) : -1;
    x->kind = "Twisted's ThreadPool";
    x->shutdown = lk_py_bool(py, lk_py_attr(py, pool, "joined"));
    x->max_workers = lk_py_int(py, lk_py_attr(py, pool, "max"), &most) ? most : LK_UNKNOWN;
    x->queued = queued >= 0 ? queued : LK_UNKNOWN;
    add_workers(py, ref, pool);
    return ref;
}

static void ask_pool(struct lk_py *py, struct call *c)
{
    size_t n = 0;
    lk_addr pool = lk_py_attr(py, c->reactor, "threadpool");
    lk_addr pending = pool && !lk_py_is_none(py, pool) ? queued_work(py, pool) : 0;
    if (!pending)
        return;
    struct lk_ref ref = enter_pool(py, pool);
    lk_addr *items = lk_py_items(py, pending, MAX_QUEUED, &n);
    for (size_t i = 0; items && i < n; i++)
        set_ender(py, c, deferred_of(py, items[i]), ref, LK_ORIGIN_EXECUTOR);
}

static void ask_workers(struct lk_py *py, struct call *c)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        for (size_t k = 0; frames && k < frames->n; k++) {
            lk_addr work = lk_py_frame_is(py, &frames->v[k], "inContext", POOL)
                               ? lk_py_local(py, &frames->v[k], "inContext")
                               : 0;
            if (work)
                set_ender(py, c, deferred_of(py, work), lk_ref_make(LK_KIND_THREAD, i),
                          LK_ORIGIN_EXECUTOR);
        }
    }
}

/* ---- other threads ----------------------------------------------------------------------- */

struct hands {
    const struct call *call;
    bool has;
};

static bool is_at_hand(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct hands *h = arg;
    (void)name;
    if (value && lk_py_kind(py, value) == LK_PYK_CELL)
        value = lk_py_cell(py, value);
    h->has = value && lk_py_isinstance(py, value, "twisted.internet.defer", "Deferred") &&
             completes(py, value, h->call->queue, NULL);
    return !h->has;
}

static void ask_hands(struct lk_py *py, const struct call *c, size_t waiter)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        struct hands h = { .call = c };
        for (size_t k = 0; frames && i != waiter && k < frames->n && !h.has; k++)
            lk_py_local_each(py, &frames->v[k], is_at_hand, &h);
        if (h.has)
            lk_refs_add(py->s, &lk_future_at(py->s, c->future)->at_hand,
                        lk_ref_make(LK_KIND_THREAD, i));
    }
}

/* ---- the calls --------------------------------------------------------------------------- */

static void read_call(struct lk_py *py, struct call *c, size_t waiter)
{
    bool is_new;
    c->loop = lk_snapshot_find(py->s, LK_KIND_LOOP, loop_object(py, c->reactor));
    c->future = lk_snapshot_future(py->s, c->queue, &is_new);
    struct lk_future *f = lk_future_at(py->s, c->future);
    f->cls = "call into the reactor";
    f->concurrent = true;
    f->state = LK_FUTURE_PENDING;
    f->enders_sought = true;
    f->loop = c->loop;
    if (c->loop.kind == LK_KIND_LOOP && is_reactors(py, c)) {
        f->enders_complete = true;
        lk_refs_add(py->s, &f->enders, c->loop);
        return;
    }
    ask_pool(py, c);
    ask_workers(py, c);
    if (some_timer(py, c))
        add_timer(py, c);
    ask_hands(py, c, waiter);
}

void lk_twisted_read_calls(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        for (size_t k = 0; frames && k < frames->n; k++) {
            const struct lk_pyf *f = &frames->v[k];
            if (!lk_py_frame_is(py, f, "blockingCallFromThread", THREADS))
                continue;
            struct call c = { .queue = lk_py_local(py, f, "queue"),
                              .reactor = lk_py_local(py, f, "reactor") };
            if (c.queue && c.reactor)
                read_call(py, &c, i);
        }
    }
}

/* Futures, asyncio's and concurrent ones: their state, and who will complete them. */
#include "read/loops/asyncio/future_enders.h"

#include "read/loops/asyncio/callback.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"

enum {
    MAX_ROUNDS = 8, /* how often one future's enders are looked for again */
};

static enum lk_future_state state_of(const struct lk_aio_fut *f)
{
    switch (f->state) {
    case 0: return LK_FUTURE_PENDING;
    case 1: return LK_FUTURE_CANCELLED;
    case 2: return LK_FUTURE_DONE;
    case 3: return LK_FUTURE_RUNNING;
    default: return LK_FUTURE_STATE_UNKNOWN;
    }
}

void lk_aio_read_future(struct lk_py *py, struct lk_ref ref)
{
    struct lk_future *f = lk_future_at(py->s, ref);
    lk_addr obj = f->addr;
    struct lk_aio_fut fut;

    if (!lk_aio_read_fut(py, obj, &fut))
        return;
    f->state = state_of(&fut);
    if (fut.loop) {
        struct lk_ref loop = lk_py_loop(py, fut.loop, LK_FOUND_TASK);
        lk_future_at(py->s, ref)->loop = loop;
    }
    lk_aio_index_callbacks(py, obj, &fut);
    lk_vec_add(&lk_reader(py)->enders_todo, ref.index);
}

/* ---- enders -------------------------------------------------------------------------- */

/* known: by a documented mechanism that is the only one to complete this future; else others may do
 * it, too. */
static void add_ender(struct lk_py *py, struct lk_ref future, struct lk_ref ender, bool known,
                      enum lk_future_origin origin)
{
    if (ender.kind == LK_KIND_NONE)
        return;
    struct lk_future *f = lk_future_at(py->s, future);
    lk_refs_add(py->s, &f->enders, ender);
    if (origin)
        f->origin = origin;
    f->enders_complete |= known;
}

static void add_loop_of_ender(struct lk_py *py, struct lk_ref future, struct lk_ref ender)
{
    struct lk_future *f = lk_future_at(py->s, future);
    if (!f->concurrent || f->loop.kind != LK_KIND_NONE)
        return;
    if (ender.kind == LK_KIND_LOOP)
        f->loop = ender;
    /* A task mentioned now is read later: its loop is taken from the object. */
    const struct lk_task *k = lk_task_at(py->s, ender);
    struct lk_aio_fut fut;
    if (k && lk_aio_read_fut(py, k->addr, &fut)) {
        struct lk_ref loop = lk_py_loop(py, fut.loop, LK_FOUND_TASK);
        lk_future_at(py->s, future)->loop = loop;
    }
}

/* gather: all children that are not done; when all are, the callback that sets the result is in
 * their loop's queue. */
static bool enders_of_gather(struct lk_py *py, struct lk_ref ref, lk_addr obj)
{
    size_t n;
    lk_addr list = lk_py_attr(py, obj, "_children");
    lk_addr *children = list ? lk_py_items(py, list, LK_PY_MAX_ITEMS, &n) : NULL;
    if (!children)
        return false;
    for (size_t i = 0; i < n; i++)
        if (lk_aio_is_pending(py, children[i]))
            add_ender(py, ref, lk_py_future(py, children[i]), true, LK_ORIGIN_GATHER);
    struct lk_future *f = lk_future_at(py->s, ref);
    f->all = true;
    f->origin = LK_ORIGIN_GATHER;
    if (f->enders.n == 0)
        add_ender(py, ref, f->loop, true, LK_ORIGIN_GATHER);
    return true;
}

static void enders_of_sources(struct lk_py *py, struct lk_ref ref, lk_addr target)
{
    struct lk_aio_sources *s = lk_aio_sources_of(lk_reader(py), target, false);
    if (!s)
        return;
    s->found = s->n;
    for (size_t i = 0; i < s->n; i++)
        if (lk_aio_is_pending(py, s->v[i]))
            add_ender(py, ref, lk_py_future(py, s->v[i]), s->known, s->origin);
    if (s->all)
        lk_future_at(py->s, ref)->all = true;
}

static void enders_of_timer(struct lk_py *py, struct lk_ref ref, lk_addr obj)
{
    uint64_t when;
    if (!lk_map_get(&lk_reader(py)->timer_sets, obj, &when))
        return;
    struct lk_ref timer =
        lk_snapshot_extern(py->s, LK_EXT_TIMER, "timer", lk_reader_left_ms(py, (int64_t)when));
    add_ender(py, ref, timer, false, LK_ORIGIN_UNKNOWN);
    struct lk_future *f = lk_future_at(py->s, ref);
    if (!f->origin)
        f->origin = LK_ORIGIN_TIMER;
}

/* Each of the two has a callback that has the other at hand: whichever is done first calls the
 * other one off, neither hands its result on. So does a task that awaits the target itself. */
static bool calls_off(struct lk_py *py, lk_addr source, lk_addr target)
{
    const struct lk_aio_sources *s = lk_aio_sources_by_hand(lk_reader(py), source);
    struct lk_aio_fut f;
    if (lk_aio_read_fut(py, source, &f) && f.fut_waiter == target)
        return true;
    for (size_t i = 0; s && i < s->n; i++)
        if (s->v[i] == target)
            return true;
    return false;
}

/*
 * Hand-written callbacks count only where nothing else is known to complete the future, and then
 * other code may do so too. All that have it at hand are listed, whichever was read first: one of
 * them that can act is enough.
 */
void lk_aio_find_enders_by_hand(struct lk_py *py, struct lk_ref ref)
{
    struct lk_future *f = lk_future_at(py->s, ref);
    if (f->enders_cut)
        f->enders_complete = false;
    f->fails_early =
        f->origin == LK_ORIGIN_GATHER && !lk_map_get(&lk_reader(py)->gathers_failed, f->addr, NULL);
    if (f->enders.n && !f->enders_likely)
        return;
    const struct lk_aio_sources *s = lk_aio_sources_by_hand(lk_reader(py), f->addr);
    if (!s || s->n >= LK_AIO_MAX_BY_HAND ||
        (f->state != LK_FUTURE_PENDING && f->state != LK_FUTURE_RUNNING))
        return;
    lk_addr obj = f->addr; /* mentions below may move f */
    f->enders.n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (lk_aio_is_pending(py, s->v[i]) && !calls_off(py, s->v[i], obj))
            add_ender(py, ref, lk_py_future(py, s->v[i]), false, LK_ORIGIN_CALLBACK);
    f = lk_future_at(py->s, ref);
    f->enders_likely = f->enders.n > 0;
}

static enum lk_future_origin follow_origin(const struct lk_future *f, enum lk_known_class source)
{
    if (f->concurrent)
        return LK_ORIGIN_RUN_COROUTINE_THREADSAFE;
    return source == LK_CLASS_CFUTURE ? LK_ORIGIN_WRAP_FUTURE : LK_ORIGIN_CHAIN;
}

void lk_aio_find_enders(struct lk_py *py, struct lk_ref ref)
{
    struct lk_reader *a = lk_reader(py);
    struct lk_future *f = lk_future_at(py->s, ref);
    lk_addr obj = f->addr;
    uint64_t v, origin;

    f->enders_sought = true;
    if (f->enders_likely)
        f->enders.n = 0;
    f->enders_likely = false;
    if (f->state != LK_FUTURE_PENDING && f->state != LK_FUTURE_RUNNING)
        return;
    f->job_lost = lk_map_get(&a->lost_jobs, obj, NULL);
    if (lk_py_known_class(py, obj, NULL) == LK_CLASS_GATHER && enders_of_gather(py, ref, obj))
        return;
    if (lk_map_get(&a->follows, obj, &v)) {
        struct lk_ref ender = lk_py_future(py, v);
        add_ender(py, ref, ender, true,
                  follow_origin(lk_future_at(py->s, ref), lk_py_known_class(py, v, NULL)));
        add_loop_of_ender(py, ref, ender);
    }
    if (lk_map_get(&a->setters, obj, &v)) {
        enum lk_future_origin by = lk_map_get(&a->setter_rows, obj, &origin)
                                       ? (enum lk_future_origin)origin
                                       : LK_ORIGIN_UNKNOWN;
        add_ender(py, ref, lk_ref_unpack(v), lk_map_get(&a->setters_known, obj, NULL), by);
        add_loop_of_ender(py, ref, lk_ref_unpack(v));
    }
    enders_of_sources(py, ref, obj);
    if (lk_map_get(&a->alias, obj, &v))
        enders_of_sources(py, ref, v);
    enders_of_timer(py, ref, obj);
}

void lk_aio_mention_relay(struct lk_py *py, lk_addr target)
{
    struct lk_reader *a = lk_reader(py);
    lk_aio_unqueue(a, target);
    struct lk_ref ref = lk_py_future(py, target);
    if (ref.kind != LK_KIND_FUTURE)
        return; /* a task, a queue */
    struct lk_future *f = lk_future_at(py->s, ref);
    struct lk_aio_sources *s = lk_aio_sources_of(a, target, false);
    if (!s || !f->enders_sought || s->found == s->n)
        return; /* by hand; or its turn is still to come, or nothing came after it */
    s->found = s->n;
    if (++s->rounds > MAX_ROUNDS) {
        f->enders_cut = true;
        return;
    }
    f->enders.n = 0; /* found anew, all of them */
    lk_vec_add(&a->enders_todo, ref.index);
}

/*
 * Every wait of a gevent greenlet is registered in what it waits for, as the bound switch of the
 * greenlet or of its Waiter: in _links of locks, events and greenlets (_abstract_linkable.py,
 * greenlet.py), in getters and putters of queues (queue.py), in callback and arguments of a
 * watcher of the loop (hub.wait() in _hub_primitives.py, timeout.py). So one pass over these
 * objects tells all waits. What stands in the loop's list of callbacks runs next (loop.pxd,
 * CallbackFIFO: head, tail; each callback leads to the next one).
 */
#include "read/loops/gevent/gevent.h"

#include <string.h>

#include "read/loops/gevent/fields.h"
#include "read/loops/gevent/thread_pool.h"
#include "read/loops/gevent/watcher.h"
#include "read/loops/greenlet/hub.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"

enum {
    MAX_LINKS = 1 << 16,     /* of one object */
    MAX_CALLBACKS = 1 << 16, /* in one loop's list */
    NEAR_WORDS = 8,          /* of a callback, among which the next one is */
};

enum part { HUB = 0, LINKABLE, GREENLET, QUEUE, WATCHER, POOL };

const struct lk_class_name lk_gevent_parts[] = {
    { "gevent._gevent_c_abstract_linkable", "AbstractLinkable" },
    { "gevent._abstract_linkable", "AbstractLinkable" },
    { "gevent._gevent_cgreenlet", "Greenlet" },
    { "gevent.greenlet", "Greenlet" },
    { "gevent._gevent_cqueue", "SimpleQueue" },
    { "gevent._gevent_cqueue", "Queue" },
    { "gevent._gevent_cqueue", "Channel" },
    { "gevent.queue", "SimpleQueue" },
    { "gevent.queue", "Queue" },
    { "gevent.queue", "Channel" },
    { "gevent.libev.corecext", "watcher" },
    { "gevent._ffi.watcher", "watcher" },
    { "gevent.threadpool", "ThreadPool" },
    { NULL, NULL },
};

static enum part part_of(struct lk_py *py, lk_addr obj)
{
    static const enum part parts[] = { LINKABLE, LINKABLE, GREENLET, GREENLET, QUEUE,
                                       QUEUE,    QUEUE,    QUEUE,    QUEUE,    QUEUE,
                                       WATCHER,  WATCHER,  POOL };
    for (size_t i = 0; i < LK_ARRAY_LEN(parts); i++)
        if (lk_py_isinstance(py, obj, lk_gevent_parts[i].module, lk_gevent_parts[i].name))
            return parts[i];
    return HUB;
}

/* ---- hubs ------------------------------------------------------------------------------------ */

static bool is_class(struct lk_py *py, lk_addr obj, const char *name)
{
    const struct lk_pytype *ty = lk_py_plausible(obj) ? lk_py_type(py, obj) : NULL;
    const char *dot = ty ? strrchr(ty->name, '.') : NULL;
    return ty && strcmp(dot ? dot + 1 : ty->name, name) == 0;
}

/* The field of a compiled object that is of the class of that name; 0. */
static lk_addr field_of_class(struct lk_py *py, lk_addr obj, const char *name)
{
    uint64_t w[LK_GEVENT_WORDS];
    for (size_t i = 2; lk_gevent_words(py, obj, w) && i < LK_GEVENT_WORDS; i++)
        if (is_class(py, w[i], name))
            return w[i];
    return 0;
}

static lk_addr next_callback(struct lk_py *py, lk_addr callback)
{
    uint64_t w[NEAR_WORDS];
    const struct lk_pytype *ty = lk_py_type(py, callback);
    lk_addr next = lk_py_attr(py, callback, "next");
    if (next || !ty || !lk_read(py->t, callback, w, sizeof w))
        return next;
    for (size_t i = 2; i < NEAR_WORDS; i++)
        if (lk_py_plausible(w[i]) && lk_py_type(py, w[i]) == ty)
            return w[i];
    return 0;
}

/* A greenlet whose switch stands there goes on by itself. */
static void note_ready(struct lk_py *py, struct lk_ref loop, lk_addr callback)
{
    uint64_t w[NEAR_WORDS];
    bool self;
    if (!lk_read(py->t, callback, w, sizeof w))
        return;
    for (size_t i = 2; i < NEAR_WORDS; i++) {
        lk_addr greenlet = lk_gevent_wakes(py, w[i], &self);
        if (greenlet)
            lk_hub_ready(py, greenlet, loop);
    }
}

static void read_callbacks(struct lk_py *py, struct lk_ref loop, lk_addr obj)
{
    lk_addr list = lk_py_attr(py, obj, "_callbacks");
    if (!list)
        list = field_of_class(py, obj, "CallbackFIFO");
    lk_addr at = list ? field_of_class(py, list, "callback") : 0;
    int64_t n = 0;
    for (; at && n < MAX_CALLBACKS; at = next_callback(py, at), n++)
        note_ready(py, loop, at);
    lk_loop_at(py->s, loop)->ready = list ? n : LK_UNKNOWN;
}

/*
 * libev's loop (ev.c, ev_vars.h) begins with the time of day, the floor of the other one, the
 * monotonic time of this iteration, and the difference of the two clocks: that tells it. 0.
 */
static double iteration_time(struct lk_py *py, lk_addr loop)
{
    enum { RT_NOW, FLOOR, MN_NOW, DIFF, N };
    const double now = (double)lk_reader(py)->now_ms / 1000, slack = 5, epoch = 1e9;
    uint64_t w[LK_GEVENT_WORDS];
    double v[N];
    for (size_t i = 2; lk_gevent_words(py, loop, w) && i < LK_GEVENT_WORDS; i++) {
        if (!lk_py_plausible(w[i]) || !lk_read(py->t, w[i], v, sizeof v))
            continue;
        const double off = v[RT_NOW] - v[DIFF] - v[MN_NOW];
        if (v[RT_NOW] > epoch && v[MN_NOW] > 0 && v[MN_NOW] < now + slack && off > -slack &&
            off < slack)
            return v[MN_NOW];
    }
    return 0;
}

/* Which greenlet the hub has switched to, in which iteration of the loop: a pair that says that
 * it has not come back since. */
static void read_turn(struct lk_py *py, struct lk_ref ref, lk_addr loop)
{
    struct lk_loop *o = lk_loop_at(py->s, ref);
    const struct lk_thread *t = lk_thread_at(py->s, o->thread);
    const struct lk_task *k = lk_task_at(py->s, t->current_task);
    const double began = o->in_own_selector != LK_YES ? iteration_time(py, loop) : 0;
    uint64_t bits;
    if (began <= 0)
        return;
    memcpy(&bits, &began, sizeof bits);
    o->turn = lk_hash_u64(lk_hash_u64(LK_HASH_INIT, bits), k ? k->addr : 0);
    o->turn_ms = LK_MAX(lk_reader(py)->now_ms - lk_reader_ms(began), 0);
}

static void read_hub(struct lk_py *py, lk_addr obj)
{
    struct lk_ref ref = lk_hub_loop(py, obj, obj, "gevent");
    lk_addr loop = lk_py_attr(py, obj, "loop");
    if (ref.kind != LK_KIND_LOOP)
        return;
    if (!loop)
        loop = field_of_class(py, obj, "loop");
    if (!loop)
        return;
    lk_hub_has_loop(py, ref, loop);
    read_callbacks(py, ref, loop);
    read_turn(py, ref, loop);
}

/* ---- what has links -------------------------------------------------------------------------- */

/* link() wraps what it is given in a SpawnedLink, whose only field that is. */
static lk_addr linked(struct lk_py *py, lk_addr link)
{
    uint64_t w[LK_GEVENT_WORDS];
    if (!lk_py_isinstance(py, link, NULL, "gevent._gevent_cgreenlet.SpawnedLink") &&
        !lk_py_isinstance(py, link, "gevent.greenlet", "SpawnedLink"))
        return link;
    lk_addr v = lk_py_attr(py, link, "callback");
    return v ? v : lk_gevent_words(py, link, w) && lk_py_plausible(w[2]) ? w[2] : link;
}

/* pool.py: a Group takes it out of its greenlets then, a Pool gives a unit back, too. */
static void note_linked(struct lk_py *py, lk_addr of, lk_addr callback)
{
    lk_addr func, group;
    if (!of || !lk_py_method(py, callback, &func, &group) ||
        lk_py_known_class(py, group, NULL) != LK_CLASS_GREEN_GROUP)
        lk_hub_calls(py, of, callback, 0);
    else if (lk_py_isinstance(py, group, "gevent.pool", "Pool"))
        lk_hub_pooled(py, of, lk_py_attr(py, group, "_semaphore"), lk_py_attr(py, group, "size"));
}

/* of: the greenlet that they are links of; 0. */
static void each_link(struct lk_py *py, lk_addr links, lk_addr of, enum lk_wait_kind kind,
                      struct lk_ref on, bool complete, const char *call)
{
    size_t n = 0;
    bool self;
    lk_addr *v = links ? lk_py_items(py, links, MAX_LINKS, &n) : NULL;
    for (size_t i = 0; v && i < n; i++) {
        lk_addr greenlet = lk_gevent_wakes(py, v[i], &self);
        if (greenlet && !self)
            lk_hub_waits(py, greenlet, kind, on, complete, call);
        else if (!greenlet)
            note_linked(py, of, linked(py, v[i]));
    }
}

/* Semaphore.counter, Event._flag: an int right behind the base's fields, which end with _links and
 * a flag. */
static bool read_count(struct lk_py *py, lk_addr obj, lk_addr links, const char *name, int64_t *ret)
{
    enum { BEHIND = 2, MOST = 1 << 24 };
    uint64_t w[LK_GEVENT_WORDS];
    lk_addr v = lk_py_attr(py, obj, name);
    if (v)
        return lk_py_int(py, v, ret);
    for (size_t i = 2; lk_gevent_words(py, obj, w) && i + BEHIND < LK_GEVENT_WORDS; i++) {
        if (w[i] != links)
            continue;
        *ret = (int32_t)(uint32_t)w[i + BEHIND];
        return *ret >= 0 && *ret <= MOST;
    }
    return false;
}

/* BoundedSemaphore._initial_value: an int, the first field that is not Semaphore's. */
static int64_t units_of(struct lk_py *py, lk_addr obj)
{
    enum { MANY = 1 << 24, BASES = 8 };
    static const char name[] = ".BoundedSemaphore"; /* a class made in Python has no module there */
    const struct lk_pytype *ty = lk_py_type(py, obj), *base = NULL;
    int32_t n;
    for (unsigned i = 0; ty && i < BASES && !base; i++) {
        base = lk_ends_with(ty->name, name) ? lk_py_type_at(py, ty->base) : NULL;
        if (!base)
            ty = ty->base ? lk_py_type_at(py, ty->base) : NULL;
    }
    if (!base || base->basicsize + (int64_t)sizeof n > ty->basicsize ||
        !lk_read_i32(py->t, obj + (lk_addr)base->basicsize, &n) || n <= 0 || n > MANY)
        return LK_UNKNOWN;
    return n;
}

static void read_state(struct lk_py *py, struct lk_ref ref, lk_addr links)
{
    struct lk_lock *l = lk_lock_at(py->s, ref);
    const enum lk_known_class cls = lk_py_known_class(py, l->addr, NULL);
    int64_t n;
    if (cls == LK_CLASS_GREEN_EVENT) {
        l->set = lk_py_isinstance(py, l->addr, NULL, "Event") &&
                 read_count(py, l->addr, links, "_flag", &n) && n > 0;
        return;
    }
    if (!read_count(py, l->addr, links, "counter", &n))
        return;
    l->set = n > 0;
    if (cls == LK_CLASS_GREEN_SEMAPHORE && !lk_py_attr(py, l->addr, "_initial_value"))
        l->units = units_of(py, l->addr);
    if (cls == LK_CLASS_GREEN_LOCK) {
        l->set = false;
        l->locked = n > 0 ? LK_NO : LK_YES;
        l->owner_by = n > 0 ? LK_OWNER_FREE : l->owner_by;
    }
}

static void read_linkable(struct lk_py *py, lk_addr obj)
{
    static const struct {
        enum lk_known_class cls;
        enum lk_wait_kind kind;
        const char *call;
    } rows[] = {
        { LK_CLASS_GREEN_LOCK, LK_WAIT_LOCK, "Lock.acquire()" },
        { LK_CLASS_GREEN_SEMAPHORE, LK_WAIT_SEMAPHORE, "Semaphore.acquire()" },
        { LK_CLASS_GREEN_EVENT, LK_WAIT_EVENT, "Event.wait()" },
    };
    lk_addr links = lk_gevent_field(py, obj, "_links", LK_PYK_LIST);
    const enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    if (!links || lk_py_len(py, links) <= 0)
        return;
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        if (rows[i].cls != cls)
            continue;
        struct lk_ref ref = lk_py_lock(py, obj);
        read_state(py, ref, links);
        each_link(py, links, 0, rows[i].kind, ref, lk_lock_at(py->s, ref)->mutex,
                  lk_py_isinstance(py, obj, NULL, "AsyncResult") ? "AsyncResult.get()"
                                                                 : rows[i].call);
        return;
    }
    each_link(py, links, 0, LK_WAIT_EVENT, lk_ref_make(LK_KIND_NONE, 0), false, NULL);
}

/* Who joins a greenlet, or waits for its value. */
static void read_greenlet(struct lk_py *py, lk_addr obj)
{
    lk_addr links = lk_gevent_field(py, obj, "_links", LK_PYK_LIST);
    if (!links || lk_py_len(py, links) <= 0)
        return;
    struct lk_ref task = lk_snapshot_find(py->s, LK_KIND_TASK, obj);
    each_link(py, links, obj, LK_WAIT_JOIN, task, true, "Greenlet.join()");
}

/* ---- queues ---------------------------------------------------------------------------------- */

static bool is_putter(struct lk_py *py, lk_addr waiter)
{
    return lk_py_isinstance(py, waiter, NULL, "ItemWaiter");
}

static void read_deque(struct lk_py *py, lk_addr deque, struct lk_ref queue)
{
    size_t n = 0;
    bool self;
    lk_addr *v = lk_py_items(py, deque, MAX_LINKS, &n);
    for (size_t i = 0; v && i < n; i++) {
        /* a Channel's putters: pairs of item and waiter */
        lk_addr waiter = lk_py_kind(py, v[i]) == LK_PYK_TUPLE ? lk_py_item(py, v[i], 1) : v[i];
        lk_addr greenlet =
            waiter && lk_gevent_is_waiter(py, waiter) ? lk_gevent_wakes(py, waiter, &self) : 0;
        const bool put = waiter != v[i] || is_putter(py, waiter);
        if (greenlet)
            lk_hub_waits(py, greenlet, put ? LK_WAIT_QUEUE_PUT : LK_WAIT_QUEUE_GET, queue, false,
                         put ? "Queue.put()" : "Queue.get()");
    }
}

static void read_queue(struct lk_py *py, lk_addr obj)
{
    uint64_t w[LK_GEVENT_WORDS];
    static const char *const names[] = { "getters", "putters" };
    struct lk_ref ref = lk_py_lock(py, obj);
    for (size_t i = 0; i < LK_ARRAY_LEN(names); i++) {
        lk_addr v = lk_py_attr(py, obj, names[i]);
        if (v)
            read_deque(py, v, ref);
    }
    for (size_t i = 2; lk_gevent_words(py, obj, w) && i < LK_GEVENT_WORDS; i++)
        if (lk_py_plausible(w[i]) && lk_py_kind(py, w[i]) == LK_PYK_DEQUE)
            read_deque(py, w[i], ref);
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Hubs first, since they take the greenlets; the pools last, since they say what waits are for. */
static int pass_of(enum part part)
{
    return part == HUB ? 0 : part == POOL ? 2 : 1;
}

void lk_gevent_read(struct lk_py *py, const lk_addr *parts, size_t n, bool all)
{
    static void (*const read[])(struct lk_py *, lk_addr) = {
        [HUB] = read_hub,     [LINKABLE] = read_linkable,         [GREENLET] = read_greenlet,
        [QUEUE] = read_queue, [WATCHER] = lk_gevent_read_watcher, [POOL] = lk_gevent_read_pool,
    };
    const char *before = lk_reading(py->t, "what gevent's greenlets wait for");
    (void)all; /* the reader of greenlets says that some are missing */
    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < n; i++) {
            const enum part part = part_of(py, parts[i]);
            if (pass_of(part) == pass)
                read[part](py, parts[i]);
        }
    lk_reading(py->t, before);
}

/*
 * eventlet 0.30 - 0.41, all of it Python. A hub (hubs/hub.py) has a greenlet of its own; what is to
 * be called at some time stands in timers and next_timers, (time, [number,] Timer) with the call in
 * Timer.tpl, and who waits for a descriptor in listeners and secondaries. Semaphores and Locks
 * (semaphore.py, lock.py) and Events (event.py) keep the greenlets that wait for them, queues
 * (queue.py) Waiters that have a greenlet. A GreenThread is waited for by its _exit_event.
 */
#include "read/loops/eventlet/eventlet.h"

#include <string.h>

#include "read/loops/eventlet/thread_pool.h"
#include "read/loops/greenlet/hub.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/stdlib/socket.h"

enum {
    MAX_WAITERS = 1 << 16,
    MAX_TIMERS = 1 << 18,
    MAX_LINKS = 1 << 10, /* of one GreenThread */
    MOST_ARGS = 4,
};

const struct lk_class_name lk_eventlet_parts[] = {
    { "eventlet.greenthread", "GreenThread" },
    { "eventlet.semaphore", "Semaphore" },
    { "eventlet.event", "Event" },
    { "eventlet.queue", "LightQueue" },
    { NULL, NULL },
};

static bool is_greenlet(struct lk_py *py, lk_addr obj)
{
    return lk_py_plausible(obj) && lk_py_isinstance(py, obj, NULL, "greenlet.greenlet");
}

/* ---- timers ---------------------------------------------------------------------------------- */

/* The greenlet that a timer goes on with: one's switch, or one to whom something is sent or thrown
 * (*other). */
static lk_addr woken_by(struct lk_py *py, lk_addr callback, lk_addr args, bool *other)
{
    lk_addr func, self;
    *other = !lk_py_method(py, callback, &func, &self) || !is_greenlet(py, self) ||
             strcmp(lk_py_callable_name(py, callback), "switch") != 0;
    if (lk_py_method(py, callback, &func, &self) && is_greenlet(py, self))
        return self;
    for (size_t i = 0; args && i < MOST_ARGS; i++) {
        lk_addr arg = lk_py_item(py, args, i);
        if (is_greenlet(py, arg))
            return arg;
    }
    return 0;
}

static void read_timer(struct lk_py *py, struct lk_ref loop, lk_addr entry)
{
    const int64_t n = lk_py_len(py, entry);
    lk_addr timer = n >= 2 ? lk_py_item(py, entry, (size_t)n - 1) : 0;
    lk_addr call = timer ? lk_py_attr(py, timer, "tpl") : 0;
    double when;
    bool other;
    if (!call || !lk_py_number(py, lk_py_item(py, entry, 0), &when) ||
        lk_py_bool(py, lk_py_attr(py, timer, "called")) == LK_YES)
        return;
    struct lk_loop *o = lk_loop_at(py->s, loop);
    const int64_t left = lk_reader_left_ms(py, lk_reader_ms(when));
    o->timers++;
    o->next_timer_ms = o->next_timer_ms == LK_UNKNOWN ? left : LK_MIN(o->next_timer_ms, left);
    lk_addr callback = lk_py_item(py, call, 0), args = lk_py_item(py, call, 1);
    lk_addr greenlet = woken_by(py, callback, args, &other);
    if (!greenlet || lk_snapshot_find(py->s, LK_KIND_TASK, greenlet).kind == LK_KIND_NONE) {
        lk_hub_timer(py, loop, callback, args, left);
        if (greenlet && !other) /* that is yet to begin: its function, with arguments */
            lk_hub_timer(py, loop, lk_py_item(py, args, 0), lk_py_item(py, args, 1), left);
        return;
    }
    if (!other)
        lk_hub_waits(py, greenlet, LK_WAIT_SLEEP,
                     lk_snapshot_extern(py->s, LK_EXT_TIMER, "timer", LK_MAX(left, 0)), true,
                     "sleep()");
    lk_hub_timeout(py, greenlet, left);
}

static void read_timers(struct lk_py *py, struct lk_ref loop, lk_addr list)
{
    size_t n = 0;
    lk_addr *v = list ? lk_py_items(py, list, MAX_TIMERS, &n) : NULL;
    for (size_t i = 0; v && i < n; i++)
        read_timer(py, loop, v[i]);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void read_listener(struct lk_py *py, struct lk_ref loop, lk_addr listener)
{
    int64_t fd;
    lk_addr greenlet = lk_py_attr(py, listener, "greenlet"),
            number = lk_py_attr(py, listener, "fileno");
    if (!greenlet || !number || !lk_py_int(py, number, &fd) ||
        lk_py_bool(py, lk_py_attr(py, listener, "spent")) == LK_YES)
        return;
    lk_loop_at(py->s, loop)->watched_fds++;
    lk_hub_waits(py, greenlet, LK_WAIT_IO, lk_py_peer_of_fd(py, fd), false,
                 "a wait for a descriptor");
}

struct listeners {
    struct lk_ref loop;
    unsigned left;
};

/* One listener, or a list of those that wait for the same descriptor. */
static bool of_descriptor(struct lk_py *py, lk_addr fd, lk_addr value, void *arg)
{
    struct listeners *l = arg;
    size_t n = 0;
    (void)fd;
    if (lk_py_kind(py, value) != LK_PYK_LIST) {
        read_listener(py, l->loop, value);
        return --l->left > 0;
    }
    lk_addr *v = lk_py_items(py, value, MAX_WAITERS, &n);
    for (size_t i = 0; v && i < n; i++)
        read_listener(py, l->loop, v[i]);
    return --l->left > 0;
}

/* By "read" and "write". */
static bool of_kind(struct lk_py *py, lk_addr kind, lk_addr by_fd, void *arg)
{
    (void)kind;
    if (lk_py_kind(py, by_fd) == LK_PYK_DICT)
        lk_py_dict_each(py, by_fd, of_descriptor, arg);
    return true;
}

/* ---- hubs ------------------------------------------------------------------------------------ */

static void read_queues(struct lk_py *py, struct lk_ref loop, lk_addr hub)
{
    static const char *const lists[] = { "timers", "next_timers" }, *const dicts[] = {
        "listeners", "secondaries"
    };
    struct listeners l = { loop, MAX_WAITERS };
    for (size_t i = 0; i < LK_ARRAY_LEN(lists); i++)
        read_timers(py, loop, lk_py_attr(py, hub, lists[i]));
    for (size_t i = 0; i < LK_ARRAY_LEN(dicts); i++) {
        lk_addr dict = lk_py_attr(py, hub, dicts[i]);
        if (dict && lk_py_kind(py, dict) == LK_PYK_DICT)
            lk_py_dict_each(py, dict, of_kind, &l);
    }
}

/* hubs/asyncio.py: what the loop below has of its own was told already. */
static void read_riding(struct lk_py *py, lk_addr hub, lk_addr below)
{
    struct lk_ref ref = lk_py_loop(py, below, LK_FOUND_HEAP);
    if (ref.kind != LK_KIND_LOOP)
        return;
    const struct lk_loop told = *lk_loop_at(py->s, ref);
    lk_hub_rides(py, ref);
    read_queues(py, ref, hub);
    struct lk_loop *o = lk_loop_at(py->s, ref);
    o->timers = told.timers;
    o->next_timer_ms = told.next_timer_ms;
    o->watched_fds = told.watched_fds;
}

static void read_hub(struct lk_py *py, lk_addr obj)
{
    lk_addr below = lk_py_attr(py, obj, "loop");
    if (below) {
        read_riding(py, obj, below);
        return;
    }
    struct lk_ref ref = lk_hub_loop(py, obj, lk_py_attr(py, obj, "greenlet"), "eventlet");
    if (ref.kind != LK_KIND_LOOP)
        return;
    struct lk_loop *o = lk_loop_at(py->s, ref);
    o->timers = o->watched_fds = 0;
    read_queues(py, ref, obj);
}

/* ---- what is waited for ---------------------------------------------------------------------- */

/* waiters: greenlets, or what has one for an attribute. */
static void each_waiter(struct lk_py *py, lk_addr waiters, enum lk_wait_kind kind, struct lk_ref on,
                        bool complete, const char *call)
{
    size_t n = 0;
    lk_addr *v = waiters ? lk_py_items(py, waiters, MAX_WAITERS, &n) : NULL;
    for (size_t i = 0; v && i < n; i++) {
        lk_addr greenlet = is_greenlet(py, v[i]) ? v[i] : lk_py_attr(py, v[i], "greenlet");
        if (greenlet)
            lk_hub_waits(py, greenlet, kind, on, complete, call);
    }
}

static void read_semaphore(struct lk_py *py, lk_addr obj)
{
    struct lk_ref ref = lk_py_lock(py, obj);
    struct lk_lock *l = lk_lock_at(py->s, ref);
    int64_t n;
    lk_addr counter = lk_py_attr(py, obj, "counter");
    if (!l || !counter || !lk_py_int(py, counter, &n))
        return;
    if (l->mutex)
        l->locked = n > 0 ? LK_NO : LK_YES;
    else
        l->set = n > 0;
    const bool mutex = l->mutex;
    each_waiter(py, lk_py_attr(py, obj, "_waiters"), mutex ? LK_WAIT_LOCK : LK_WAIT_SEMAPHORE, ref,
                mutex, mutex ? "Lock.acquire()" : "Semaphore.acquire()");
}

/* Those that wait for the end of a GreenThread were entered before: the event is how they do. */
static void read_event(struct lk_py *py, lk_addr obj)
{
    size_t n = 0;
    lk_addr waiters = lk_py_attr(py, obj, "_waiters");
    lk_addr *v = waiters ? lk_py_items(py, waiters, MAX_WAITERS, &n) : NULL;
    for (size_t i = 0; v && i < n; i++)
        if (is_greenlet(py, v[i]) && !lk_hub_knows_wait(py, v[i]))
            lk_hub_waits(py, v[i], LK_WAIT_EVENT, lk_py_lock(py, obj), false, "Event.wait()");
}

/* (function, arguments, keywords) */
static void read_links(struct lk_py *py, lk_addr obj)
{
    lk_addr links = lk_py_attr(py, obj, "_exit_funcs");
    size_t n = 0;
    lk_addr *v = links ? lk_py_items(py, links, MAX_LINKS, &n) : NULL;
    for (size_t i = 0; v && i < n; i++) {
        lk_addr callback = lk_py_item(py, v[i], 0), func, pool;
        if (lk_py_method(py, callback, &func, &pool) &&
            lk_py_isinstance(py, pool, "eventlet.greenpool", "GreenPool"))
            lk_hub_pooled(py, obj, lk_py_attr(py, pool, "sem"), lk_py_attr(py, pool, "size"));
        else
            lk_hub_calls(py, obj, callback, lk_py_item(py, v[i], 1));
    }
}

static void read_thread(struct lk_py *py, lk_addr obj)
{
    lk_addr end = lk_py_attr(py, obj, "_exit_event");
    read_links(py, obj);
    lk_addr waiters = end ? lk_py_attr(py, end, "_waiters") : 0;
    if (waiters && lk_py_len(py, waiters) > 0)
        each_waiter(py, waiters, LK_WAIT_JOIN, lk_snapshot_find(py->s, LK_KIND_TASK, obj), true,
                    "GreenThread.wait()");
}

static void read_queue(struct lk_py *py, lk_addr obj)
{
    struct lk_ref ref = lk_py_lock(py, obj);
    each_waiter(py, lk_py_attr(py, obj, "getters"), LK_WAIT_QUEUE_GET, ref, false, "Queue.get()");
    each_waiter(py, lk_py_attr(py, obj, "putters"), LK_WAIT_QUEUE_PUT, ref, false, "Queue.put()");
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void read_part(struct lk_py *py, lk_addr obj, int pass)
{
    static const struct {
        const char *module, *cls;
        void (*read)(struct lk_py *, lk_addr);
        int pass;
    } rows[] = {
        { "eventlet.hubs.hub", "BaseHub", read_hub, 0 },
        { "eventlet.greenthread", "GreenThread", read_thread, 1 },
        { "eventlet.semaphore", "Semaphore", read_semaphore, 1 },
        { "eventlet.queue", "LightQueue", read_queue, 1 },
        { "eventlet.event", "Event", read_event, 2 },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        if (lk_py_isinstance(py, obj, rows[i].module, rows[i].cls)) {
            if (rows[i].pass == pass)
                rows[i].read(py, obj);
            return;
        }
}

void lk_eventlet_read(struct lk_py *py, const lk_addr *parts, size_t n, bool all)
{
    const char *before = lk_reading(py->t, "what eventlet's greenlets wait for");
    (void)all; /* the reader of greenlets says that some are missing */
    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < n; i++)
            read_part(py, parts[i], pass);
    if (n)
        lk_eventlet_read_pool(py);
    lk_reading(py->t, before);
}

/*
 * gevent/libev/corecext.pyx, class watcher: behind the header the callback, its arguments (a tuple)
 * and libev's struct: ints active and pending, a priority in some builds, data, cb, and of a timer
 * at, of an io watcher next and fd (ev.h). While a timer is active at counts on the clock of
 * CLOCK_MONOTONIC. hub.wait(watcher) starts it with a Waiter; a Timeout starts its timer with the
 * greenlet. cffi's watchers (gevent/_ffi/watcher.py) keep _callback and _args as attributes and the
 * rest in C: of their timers it is not known when they fire.
 */
#include "read/loops/gevent/watcher.h"

#include <string.h>

#include "read/loops/gevent/fields.h"
#include "read/loops/greenlet/hub.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/stdlib/socket.h"

enum {
    EV_CB = 16,       /* behind active, pending and data */
    PRIORITY = 8,     /* that stands before data in some builds, with its padding */
    BEHIND_CB = 8,    /* ev_timer.at, ev_io.next */
    BEHIND_NEXT = 16, /* ev_io.fd */
    MOST_ARGS = 4,
};

struct watcher {
    lk_addr callback, args;
    lk_addr ev;  /* libev's struct; 0: kept in C */
    bool active; /* true where it is not known */
};

static bool open_watcher(struct lk_py *py, lk_addr obj, struct watcher *ret)
{
    uint64_t w[LK_GEVENT_WORDS];
    int32_t active = 0;
    *ret = (struct watcher){ .callback = lk_py_attr(py, obj, "_callback"),
                             .args = lk_py_attr(py, obj, "_args"),
                             .active = true };
    if (ret->callback && ret->args)
        return !lk_py_is_none(py, ret->callback);
    if (!lk_gevent_words(py, obj, w))
        return false;
    for (size_t i = 2; i + 1 < LK_GEVENT_WORDS; i++) {
        if (!lk_py_plausible(w[i]) || lk_py_kind(py, w[i]) != LK_PYK_TUPLE)
            continue;
        ret->args = w[i];
        ret->callback = w[i - 1];
        ret->ev = w[i + 1];
        ret->active = lk_py_plausible(ret->ev) && lk_read_i32(py->t, ret->ev, &active) && active;
        return true;
    }
    return false;
}

/* cb is a function: that tells where it stands. 0. */
static lk_addr cb_of(struct lk_py *py, const struct watcher *w)
{
    for (lk_addr at = w->ev + EV_CB; w->ev && at <= w->ev + EV_CB + PRIORITY; at += PRIORITY) {
        lk_addr cb;
        const struct lk_mapping *m =
            lk_read_u64(py->t, at, &cb) && cb ? lk_process_mapping_at(py->t, cb) : NULL;
        if (m && m->prot[2] == 'x')
            return at;
    }
    return 0;
}

static int64_t timer_left(struct lk_py *py, const struct watcher *w)
{
    const lk_addr cb = cb_of(py, w);
    double at;
    uint64_t bits;
    if (!cb || !lk_read_u64(py->t, cb + BEHIND_CB, &bits))
        return LK_UNKNOWN;
    memcpy(&at, &bits, sizeof at);
    return at > 0 && at < 1e12 ? LK_MAX(lk_reader_left_ms(py, lk_reader_ms(at)), 0) : LK_UNKNOWN;
}

static void wait_on_timer(struct lk_py *py, lk_addr greenlet, const struct watcher *w)
{
    const int64_t left = timer_left(py, w);
    lk_hub_waits(py, greenlet, LK_WAIT_SLEEP,
                 lk_snapshot_extern(py->s, LK_EXT_TIMER, "timer", left), true, "sleep()");
    lk_hub_timeout(py, greenlet, left);
}

static void wait_on_io(struct lk_py *py, lk_addr greenlet, const struct watcher *w)
{
    const lk_addr cb = cb_of(py, w);
    int64_t fd = cb ? lk_py_fd_at(py, cb + BEHIND_NEXT) : LK_UNKNOWN;
    struct lk_ref peer =
        fd != LK_UNKNOWN ? lk_py_peer_of_fd(py, fd)
                         : lk_snapshot_extern(py->s, LK_EXT_UNKNOWN, "a descriptor", LK_UNKNOWN);
    lk_hub_waits(py, greenlet, LK_WAIT_IO, peer, false, "a wait for a descriptor");
}

static void wait_on_child(struct lk_py *py, lk_addr greenlet, const struct watcher *w)
{
    (void)w;
    lk_hub_waits(py, greenlet, LK_WAIT_CHILD,
                 lk_snapshot_extern(py->s, LK_EXT_CHILD, "a child", LK_UNKNOWN), false,
                 "a wait for a child");
}

static void wait_on_other(struct lk_py *py, lk_addr greenlet, const struct watcher *w)
{
    (void)w;
    lk_hub_waits(py, greenlet, LK_WAIT_EVENT, lk_ref_make(LK_KIND_NONE, 0), false,
                 "a wait for an event of the loop");
}

static void note(struct lk_py *py, lk_addr obj, lk_addr greenlet, const struct watcher *w)
{
    static const struct {
        const char *cls;
        void (*wait)(struct lk_py *, lk_addr, const struct watcher *);
    } rows[] = { { "timer", wait_on_timer },
                 { "io", wait_on_io },
                 { "child", wait_on_child },
                 { "watcher", wait_on_other } };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        if (lk_py_isinstance(py, obj, NULL, rows[i].cls)) {
            rows[i].wait(py, greenlet, w);
            return;
        }
}

/* A Greenlet that is yet to begin (spawn_later): what it will call, with which arguments. */
static void note_start(struct lk_py *py, struct lk_ref loop, lk_addr greenlet, int64_t left)
{
    lk_hub_timer(py, loop, lk_py_attr(py, greenlet, "_run"),
                 lk_gevent_field(py, greenlet, "args", LK_PYK_TUPLE), left);
}

/* gevent/hub.py class signal: its _start calls handler(*args). */
static void note_call(struct lk_py *py, struct lk_ref loop, const struct watcher *w, int64_t left)
{
    lk_addr func, self;
    const bool handler = lk_py_method(py, w->callback, &func, &self) &&
                         lk_py_isinstance(py, self, "gevent.hub", "signal");
    lk_hub_timer(py, loop, handler ? lk_py_attr(py, self, "handler") : w->callback,
                 handler ? lk_py_attr(py, self, "args") : w->args, left);
}

/* A timer, or another watcher, may do more than wake a greenlet. */
static void note_timer(struct lk_py *py, lk_addr obj, const struct watcher *w, lk_addr greenlet)
{
    struct lk_ref loop = lk_hub_of_loop(py, obj);
    const int64_t left = timer_left(py, w);
    if (greenlet && lk_snapshot_find(py->s, LK_KIND_TASK, greenlet).kind == LK_KIND_NONE)
        note_start(py, loop, greenlet, left);
    else if (!greenlet)
        note_call(py, loop, w, left);
}

void lk_gevent_read_watcher(struct lk_py *py, lk_addr obj)
{
    struct watcher w;
    bool self;
    if (!open_watcher(py, obj, &w) || !w.active)
        return;
    lk_addr who[MOST_ARGS + 1] = { w.callback }, greenlet = 0;
    for (size_t i = 0; i < MOST_ARGS; i++)
        who[i + 1] = lk_py_item(py, w.args, i);
    for (size_t i = 0; i < LK_ARRAY_LEN(who) && !greenlet; i++)
        greenlet = who[i] ? lk_gevent_wakes(py, who[i], &self) : 0;
    note_timer(py, obj, &w, greenlet);
    if (greenlet && self) /* throws into it, or does with it what it likes */
        lk_hub_timeout(py, greenlet, timer_left(py, &w));
    else if (greenlet)
        note(py, obj, greenlet, &w);
}

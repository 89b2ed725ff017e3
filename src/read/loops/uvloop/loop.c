/*
 * uvloop.Loop: asyncio's interface in C (uvloop/loop.pxd) around libuv's uv_loop_t. Its ready queue
 * is a deque of uvloop.loop.Handle; its timers are libuv's, and a set of uvloop.loop.TimerHandle
 * keeps what each of them calls.
 */
#include "read/loops/uvloop/loop.h"

#include "read/loops/asyncio/current_callback.h"
#include "read/loops/asyncio/loop.h"
#include "read/loops/asyncio/ready_queue.h"
#include "read/loops/uvloop/handle.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/stdlib/socket.h"

enum {
    UV_BACKEND_FD = 64, /* uv_loop_t.backend_fd (libuv 1.x include/uv.h) */
    /*
     * uv_loop_t.time (libuv 1.x include/uv.h, include/uv/unix.h): milliseconds of CLOCK_MONOTONIC,
     * taken when an iteration begins and when epoll_wait returns. Before it: the handles wq_async
     * and async_io_watcher, the timer heap (its first timer, their number), timer_counter.
     */
    UV_TIME = 544,
    /* uv_loop_t.async_io_watcher.fd: the eventfd by which uv_async_send wakes the loop, and with it
     * call_soon_threadsafe; it stands two words before timer_heap in every libuv 1.x */
    UV_ASYNC_FD = 504,
    UV_TIMER_COUNTER = 536,
    UV_TIMER_HEAP = 520,
    UV_N_TIMERS = 528,
    MAX_AFTER_READY = 48, /* words of the Loop among which _timers stands */
    UV_LOOP_READ = 256,   /* front of the Loop object, where its fields are looked for */
};

/*
 * uvloop.loop.Loop is a C struct (uvloop/loop.pxd). In every release looked at (0.14 - 0.23) its
 * words are, in this order: uv_loop_t *, the coroutine debug settings, slow_callback_duration, int
 * _closed, _debug, _running, _stopping (two words), uint64 _thread_id, up to 0.16 also int
 * _thread_is_main, then _task_factory, _exception_handler, _default_executor, _ready. No release is
 * asked for: the first deque is _ready, the number before it slow_callback_duration, and what
 * stands between them must be so many words and hold what these fields can hold.
 */
struct uv_view {
    lk_addr ready, executor, uv;
    lk_addr behind; /* the word after _ready */
    int32_t flags[4];
    uint64_t ident;
};

static bool uv_open(struct lk_py *py, lk_addr obj, struct uv_view *v)
{
    enum { FIRST_READY = 12, NEW_GAP = 7, OLD_GAP = 8 }; /* words from the number to _ready */
    uint64_t w[UV_LOOP_READ / 8];
    size_t at, gap;
    double slow;

    if (!lk_read(py->t, obj, w, sizeof w))
        return false;
    for (at = FIRST_READY; at < LK_ARRAY_LEN(w); at++)
        if (w[at] && lk_py_kind(py, w[at]) == LK_PYK_DEQUE)
            break;
    if (at == LK_ARRAY_LEN(w))
        return false;
    for (gap = NEW_GAP; gap <= OLD_GAP; gap++)
        if (lk_py_number(py, w[at - gap], &slow))
            break;
    if (gap > OLD_GAP || (gap == OLD_GAP && w[at - 4] > 1))
        return false;
    memcpy(v->flags, &w[at - gap + 1], sizeof v->flags);
    for (size_t i = 0; i < LK_ARRAY_LEN(v->flags); i++)
        if (v->flags[i] != 0 && v->flags[i] != 1)
            return false;
    v->ready = w[at];
    v->executor = w[at - 1];
    v->ident = w[at - gap + 3];
    v->uv = w[at - gap - 2];
    v->behind = obj + (at + 1) * sizeof w[0];
    return true;
}

/* The Loop's set of timers: the one that holds a TimerHandle. */
static lk_addr find_timers(struct lk_py *py, lk_addr behind)
{
    for (size_t i = 0; i < MAX_AFTER_READY; i++) {
        size_t n = 0;
        lk_addr set = lk_py_ptr(py, behind + i * 8);
        if (!set || lk_py_kind(py, set) != LK_PYK_SET || lk_py_len(py, set) <= 0)
            continue;
        lk_addr *items = lk_py_items(py, set, 1, &n);
        if (n && lk_uvloop_is_timer(py, items[0]))
            return set;
    }
    return 0;
}

/* All that libuv has in its heap must be there: what the loop will call is known, or it is not. */
static void read_timers(struct lk_py *py, struct lk_ref loop, const struct uv_view *v)
{
    uint64_t time, min;
    uint32_t n;
    if (!lk_read_u64(py->t, v->uv + UV_TIME, &time) || time > INT64_MAX ||
        !lk_aio_is_moment(py, (int64_t)time) || !lk_read_u64(py->t, v->uv + UV_TIMER_HEAP, &min) ||
        !lk_read_u32(py->t, v->uv + UV_N_TIMERS, &n) || (min == 0) != (n == 0))
        return;
    lk_addr set = n ? find_timers(py, v->behind) : 0;
    struct lk_loop *o = lk_loop_at(py->s, loop);
    if (n == 0) {
        o->timers = 0;
        o->timers_unread = false;
        return;
    }
    if (set && lk_aio_read_timers(py, loop, set, lk_uvloop_read_timer) &&
        lk_loop_at(py->s, loop)->timers >= (int64_t)n)
        lk_loop_at(py->s, loop)->timers_unread = false;
    else
        lk_loop_at(py->s, loop)->timers = LK_UNKNOWN;
}

/*
 * uvloop runs its ready queue in one go in an iteration of libuv: the iteration's time tells the
 * turn, and the queue's count of changes that nothing was taken from it meanwhile. Callbacks that
 * libuv makes by itself leave the queue alone.
 */
static void read_current_callback(struct lk_py *py, struct lk_ref loop, lk_addr uv, lk_addr ready)
{
    uint64_t time, changes, counter;
    if (!uv || !lk_read_u64(py->t, uv + UV_TIME, &time) ||
        !lk_read_u64(py->t, uv + UV_TIMER_COUNTER, &counter) ||
        !lk_aio_queue_changes(py, ready, &changes) || time > INT64_MAX ||
        !lk_aio_is_moment(py, (int64_t)time))
        return;
    uint64_t id = lk_hash_u64(lk_hash_u64(lk_hash_u64(LK_HASH_INIT, time), changes), counter);
    lk_aio_set_turn(py, loop, id, (int64_t)time, false);
}

void lk_uvloop_read_loop(struct lk_py *py, lk_addr obj, struct lk_ref ref)
{
    struct lk_loop *o = lk_loop_at(py->s, ref);
    struct uv_view v;

    o->timers_unread = true;
    const char *before = lk_reading(py->t, "a uvloop loop");
    lk_read_watch(py->t);
    if (!uv_open(py, obj, &v)) {
        lk_read_senseless(py->t, obj, UV_LOOP_READ);
        lk_reading(py->t, before);
        lk_snapshot_limit_of(
            py->s, ref, lk_read_failed(py->t),
            "the fields of loop %s (uvloop) could not be found in this release of uvloop", o->id);
        return;
    }
    lk_reading(py->t, before);
    o->closed = v.flags[0] ? LK_YES : LK_NO;
    o->stopping = v.flags[3] ? LK_YES : LK_NO;
    o->thread_ident = v.flags[2] ? v.ident : 0;
    if (v.uv && !v.flags[0]) {
        o->epoll_fd = lk_py_fd_at(py, v.uv + UV_BACKEND_FD);
        o->wakeup_read_fd = lk_py_fd_at(py, v.uv + UV_ASYNC_FD);
    }
    if (v.flags[2] && !v.flags[0])
        read_current_callback(py, ref, v.uv, v.ready);
    if (v.uv && !v.flags[0])
        read_timers(py, ref, &v);
    lk_aio_set_run(py, o);
    if (lk_py_known_class(py, v.executor, NULL) != LK_CLASS_OTHER) {
        struct lk_ref x = lk_py_executor(py, v.executor);
        lk_loop_at(py->s, ref)->executor = x;
    }
    lk_aio_read_ready(py, ref, v.ready, lk_uvloop_read_handle);
}

/*
 * trio's Runner (trio/_core/_run.py, 0.22 - 0.35): tasks, runq, deadlines, entry_queue, io_manager
 * and clock are attributes in slots. SystemClock counts time.perf_counter(), on Linux the monotonic
 * clock, from an offset of its own; a MockClock's moments say nothing. It waits in epoll
 * (_io_epoll.py EpollIOManager), up to a day, which is no timer. The run call's generator
 * unrolled_run takes `now` from the clock after each wait and makes a step of each task that was
 * ready then; a task counts its steps in _schedule_points.
 */
#include "read/loops/trio/loop.h"

#include "read/loops/asyncio/current_callback.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/socket.h"

lk_addr lk_trio_attr(struct lk_py *py, lk_addr obj, const char *name)
{
    lk_addr v = obj ? lk_py_attr(py, obj, name) : 0;
    return v && !lk_py_is_none(py, v) ? v : 0;
}

/* ---- clock ------------------------------------------------------------------------------- */

int64_t lk_trio_moment(struct lk_py *py, lk_addr loop, double when)
{
    lk_addr clock = lk_py_attr(py, loop, "clock");
    double offset;
    if (!clock || !lk_py_isinstance(py, clock, "trio._core._run", "SystemClock") ||
        !lk_py_number(py, lk_py_attr(py, clock, "offset"), &offset))
        return LK_UNKNOWN;
    return lk_reader_ms(when - offset);
}

/* ---- the loop's fields --------------------------------------------------------------------- */

/* Deadlines: a heap of (when, id, scope), in which scopes that have left stay for a while. */
static void read_deadlines(struct lk_py *py, lk_addr runner, struct lk_loop *o)
{
    lk_addr deadlines = lk_py_attr(py, runner, "deadlines"),
            heap = deadlines ? lk_py_attr(py, deadlines, "_heap") : 0;
    int64_t active;
    double when;
    o->timers_unread = !heap || lk_py_len(py, heap) < 0 ||
                       !lk_py_int(py, lk_py_attr(py, deadlines, "_active"), &active);
    if (o->timers_unread)
        return;
    o->timers = active;
    lk_addr first = active ? lk_py_item(py, heap, 0) : 0;
    if (!first || !lk_py_number(py, lk_py_item(py, first, 0), &when))
        return;
    int64_t at = lk_trio_moment(py, runner, when);
    if (at != LK_UNKNOWN && at != LK_FOREVER)
        o->next_timer_ms = lk_reader_left_ms(py, at);
}

static void read_io(struct lk_py *py, lk_addr runner, struct lk_loop *o)
{
    lk_addr io = lk_py_attr(py, runner, "io_manager");
    o->epoll_fd = io ? lk_py_epoll_fd(py, lk_py_attr(py, io, "_epoll")) : LK_UNKNOWN;
    int64_t n = io ? lk_py_len(py, lk_py_attr(py, io, "_registered")) : -1;
    if (n >= 0) /* one is its own, by which other threads wake it */
        o->watched_fds = LK_MAX(n - 1, (int64_t)0);
}

void lk_trio_read_loop(struct lk_py *py, lk_addr runner, struct lk_ref ref)
{
    struct lk_loop *o = lk_loop_at(py->s, ref);
    const char *before = lk_reading(py->t, "a trio runner");
    lk_read_watch(py->t);
    lk_addr entries = lk_py_attr(py, runner, "entry_queue");
    int64_t ready = lk_py_len(py, lk_py_attr(py, runner, "runq"));

    o->stopping = LK_NO;
    if (entries) /* closed when the run is over, and not to be used again */
        o->closed = lk_py_bool(py, lk_py_attr(py, entries, "done"));
    if (o->closed == LK_YES)
        o->run = LK_LOOP_CLOSED;
    if (ready >= 0)
        o->ready = ready;
    read_deadlines(py, runner, o);
    if (o->closed != LK_YES)
        read_io(py, runner, o);
    lk_reading(py->t, before);
}

lk_addr lk_trio_main_task(struct lk_py *py, lk_addr loop)
{
    return lk_trio_attr(py, loop, "main_task");
}

/* ---- the step that is being made ------------------------------------------------------------ */

void lk_trio_read_current(struct lk_py *py, struct lk_ref loop, const struct lk_pyf *driver)
{
    lk_addr generator = lk_py_local(py, driver, "gen");
    struct lk_pyf f;
    if (!generator || !lk_py_gen_frame(py, generator, &f))
        return;
    lk_addr task = lk_py_local(py, &f, "task"), now = lk_py_local(py, &f, "now");
    int64_t steps;
    double moment;
    uint64_t bits;
    if (!task || !now || !lk_py_float(py, now, &moment) ||
        lk_py_known_class(py, task, NULL) != LK_CLASS_TRIO_TASK ||
        !lk_py_int(py, lk_py_attr(py, task, "_schedule_points"), &steps))
        return;
    memcpy(&bits, &moment, sizeof bits);
    int64_t began = lk_trio_moment(py, lk_loop_at(py->s, loop)->addr, moment);
    if (began != LK_UNKNOWN && !lk_aio_is_moment(py, began))
        began = LK_UNKNOWN;
    uint64_t id = lk_hash_u64(lk_hash_u64(LK_HASH_INIT, bits), task);
    lk_aio_set_turn(py, loop, lk_hash_u64(id, (uint64_t)steps), began, false);
}

/* What each suspended task waits for, and for how long. */
#include "read/python/waits/task_wait.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/interpreter/value_stack.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"
#include "read/python/waits/job_result.h"
#include "read/python/waits/match.h"
#include "read/python/waits/resolve.h"

/*
 * Where a loop keeps its timers in C, what the frames say must do: a Timeout that a frame is in has
 * its deadline, the timer of wait() and wait_for() is there but not when it ends.
 */
static int64_t deadline_by_frames(struct lk_py *py, const struct lk_pyframes *frames, int64_t known)
{
    lk_addr held[LK_READER_MAX_MANAGERS];
    int64_t best = known;
    double when;

    for (size_t i = 0; i < frames->n; i++) {
        size_t n = lk_py_held_managers(py, &frames->v[i], held, LK_ARRAY_LEN(held));
        for (size_t j = 0; j < n; j++)
            if (lk_py_known_class(py, held[j], NULL) == LK_CLASS_TIMEOUT &&
                lk_py_number(py, lk_py_attr(py, held[j], "_when"), &when))
                best = LK_MIN(best, lk_reader_left_ms(py, lk_reader_ms(when)));
        lk_addr handle = lk_py_local(py, &frames->v[i], "timeout_handle");
        if (handle && !lk_py_is_none(py, handle) && best == LK_FOREVER)
            return LK_UNKNOWN;
    }
    return best;
}

static int64_t task_timeout(struct lk_py *py, const struct lk_task *k, lk_addr fut_waiter,
                            const struct lk_pyframes *frames)
{
    struct lk_reader *a = lk_reader(py);
    const struct lk_loop *o = lk_loop_at(py->s, k->loop);
    int64_t left = LK_FOREVER;
    uint64_t when;

    if (lk_map_get(&a->deadlines, k->addr, &when))
        left = LK_MIN(left, lk_reader_left_ms(py, (int64_t)when));
    if (fut_waiter && lk_map_get(&a->timer_frees, fut_waiter, &when))
        left = LK_MIN(left, lk_reader_left_ms(py, (int64_t)when));
    if (!o || o->timers == LK_UNKNOWN)
        left = deadline_by_frames(py, frames, left);
    return left;
}

static const char *await_call(struct lk_py *py, lk_addr fut_waiter)
{
    return lk_py_known_class(py, fut_waiter, NULL) == LK_CLASS_GATHER ? "asyncio.gather()"
                                                                      : "await";
}

/* A task whose cancel() is asyncio's own. */
static bool cancels_only(struct lk_py *py, lk_addr obj)
{
    struct lk_reader *a = lk_reader(py);
    const enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    if (cls != LK_CLASS_TASK && cls != LK_CLASS_PYTASK)
        return false;
    const struct lk_pytype *ty = lk_py_type(py, obj);
    if (cls == LK_CLASS_PYTASK)
        return ty && strcmp(ty->name, "Task") == 0;
    if (ty != a->cancel_of) { /* most tasks are of one type */
        a->cancel_of = ty;
        a->cancel_is_own =
            ty && lk_py_kind(py, lk_py_type_attr(py, ty, "cancel")) == LK_PYK_METHOD_DESCR;
    }
    return a->cancel_is_own;
}

/* *matched: a row names these frames. */
static bool wait_by_row(struct lk_py *py, const struct lk_waiter *who,
                        const struct lk_pyframes *frames, const struct lk_wait_rows *rows,
                        struct lk_wait *w, bool *matched)
{
    struct lk_wait_run run;

    lk_wait_match(py, rows, frames, false, &run);
    w->frame = run.n < frames->n ? (int)run.n : -1;
    *matched = run.row != NULL;
    if (!run.row)
        return false;
    w->call = run.call;
    w->traits = run.traits;
    if (lk_wait_resolve(py, &run, run.innermost, who, w))
        return true;
    w->frame = 0;
    return false;
}

bool lk_py_task_wait(struct lk_py *py, struct lk_ref task, const struct lk_aio_fut *f,
                     const struct lk_pyframes *frames, const struct lk_wait_rows *rows)
{
    const struct lk_task *k = lk_task_at(py->s, task);
    struct lk_wait w = { .timeout_ms = LK_FOREVER, .frame = -1 };
    struct lk_waiter who = { .ref = task, .fut_waiter = f->fut_waiter };
    uint64_t loop;
    bool matched = rows != NULL; /* until it was tried */

    if (lk_map_get(&lk_reader(py)->ready, k->addr, &loop)) {
        lk_wait_on(py, &w, LK_WAIT_READY, lk_ref_make(LK_KIND_LOOP, loop - 1), true);
    } else if (!f->fut_waiter) {
        /* Its step was in a queue that is gone (closed loop), or is being taken out of one just
         * now. */
        const struct lk_loop *o = lk_loop_at(py->s, k->loop);
        bool lost = o && (o->run == LK_LOOP_CLOSED || o->run == LK_LOOP_LOST_IN_FORK);
        lk_wait_on(py, &w, lost ? LK_WAIT_READY : LK_WAIT_UNKNOWN,
                   lost ? k->loop : lk_ref_make(LK_KIND_NONE, 0), lost);
    } else {
        w.timeout_ms = task_timeout(py, k, f->fut_waiter, frames);
        if (!rows || !wait_by_row(py, &who, frames, rows, &w, &matched)) {
            w.call = await_call(py, f->fut_waiter);
            w.frame = frames->n ? 0 : -1;
            if (!lk_wait_on_future(py, &w, f->fut_waiter))
                w.kind = LK_WAIT_UNKNOWN;
            else if (cancels_only(py, f->fut_waiter))
                w.traits |= LK_WAIT_DIRECT;
        }
    }
    if (w.kind != LK_WAIT_READY)
        lk_py_read_job_result(py, frames, false, &w);
    lk_task_at(py->s, task)->wait = w;
    return matched;
}

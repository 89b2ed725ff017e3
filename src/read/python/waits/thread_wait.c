/* What each thread waits for: rows of the wait table first, then the value stack and the futex,
 * then the kernel's word. */
#include "read/python/waits/thread_wait.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/builtin_calls.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/lock.h"
#include "read/python/stdlib/signal_handlers.h"
#include "read/python/stdlib/socket.h"
#include "read/python/waits/job_result.h"
#include "read/python/waits/kernel.h"
#include "read/python/waits/lock_call.h"
#include "read/python/waits/match.h"
#include "read/python/waits/polling_call.h"
#include "read/python/waits/resolve.h"
#include "read/python/waits/wait_table.h"

/* True when the kernel's call can be this row's wait; an unknown call is believed. */
static bool fits_kernel(const struct lk_wait_row *r, const struct lk_syscall_wait *os)
{
    if (!os->syscall)
        return true;
    switch (r->how) {
    case LK_HOW_SELECT:
    case LK_HOW_LOOP: return os->on == LK_OS_SELECTOR;
    case LK_HOW_IDLE:
        /* a hub that watches nothing sleeps */
        return r->kind == LK_WAIT_SELECTOR ? os->on == LK_OS_SELECTOR || os->on == LK_OS_TIMER
                                           : os->on == LK_OS_FUTEX;
    case LK_HOW_CHILD: return os->on != LK_OS_FUTEX;
    case LK_HOW_REMOTE: return os->on == LK_OS_FUTEX || os->on == LK_OS_SELECTOR;
    default: return os->on == LK_OS_FUTEX;
    }
}

/* A Condition.wait that was notified, or timed out, wants its lock back: then the lock is what it
 * waits for. */
static bool wants_lock_back(struct lk_py *py, const struct lk_wait_run *run,
                            const struct lk_pyf *innermost, const struct lk_syscall_wait *os,
                            struct lk_wait *w)
{
    if (!run->row || run->row->how == LK_HOW_INNER_LOCK || !os->futex)
        return false;
    lk_addr cond = lk_py_local(py, innermost, "self");
    if (lk_py_known_class(py, cond, NULL) != LK_CLASS_CONDITION)
        return false;
    lk_addr lock = lk_py_attr(py, cond, "_lock");
    if (!lk_py_futex_is(py, lock, os->futex))
        return false;
    w->call = "Condition.wait()";
    return lk_wait_on_lock(py, w, LK_WAIT_LOCK, lk_py_lock(py, lock));
}

/* The call's own: how long its polls last says nothing. */
static int64_t timeout_of_call(struct lk_py *py, const struct lk_pyf *f)
{
    lk_addr timeout = lk_py_local(py, f, "timeout");
    return timeout && lk_py_is_none(py, timeout) ? LK_FOREVER : LK_UNKNOWN;
}

static void wait_of_frames(struct lk_py *py, struct lk_ref ref, const struct lk_syscall_wait *os,
                           const struct lk_pyframes *frames, struct lk_wait *w)
{
    const struct lk_wait_rows t = { lk_thread_wait_rows, lk_n_thread_wait_rows, 0 };
    struct lk_waiter who = { .ref = ref };
    struct lk_wait_run run;

    lk_wait_match(py, &t, frames, true, &run);
    w->frame = (int)run.n < (int)frames->n ? (int)run.n : -1;
    if (wants_lock_back(py, &run, &frames->v[0], os, w)) {
        w->frame = frames->n > 1 ? 1 : -1;
        return;
    }
    if (run.row && fits_kernel(run.row, os)) {
        w->call = run.call;
        w->traits = run.traits;
        if (lk_wait_resolve(py, &run, &frames->v[0], &who, w)) {
            if (w->traits & LK_WAIT_POLLS)
                w->timeout_ms = timeout_of_call(py, run.frame);
            return;
        }
        w->traits &= ~(unsigned)LK_WAIT_POLLS;
    } else {
        w->frame = 0;
        w->call = NULL;
        w->traits = 0;
        if (os->on == LK_OS_FUTEX && lk_wait_in_lock(py, os, &frames->v[0], w))
            return;
    }
    lk_wait_in_kernel(py, os, ref, w);
}

static bool polls_without_end(struct lk_py *py, const struct lk_pyframes *frames)
{
    enum { NEAR = 4 };
    for (size_t i = 0; frames && i < frames->n && i < NEAR; i++)
        for (size_t k = 0; k < lk_n_poll_rows; k++) {
            const struct lk_poll_row *r = &lk_poll_rows[k];
            lk_addr timeout = lk_py_frame_is(py, &frames->v[i], r->function, r->file)
                                  ? lk_py_local(py, &frames->v[i], r->timeout)
                                  : 0;
            if (timeout)
                return lk_py_is_none(py, timeout);
        }
    return false;
}

/* Its place tells no more for how long it waits, since it comes back there by itself: the
 * connection does. */
static void wait_without_end(struct lk_py *py, const struct lk_thread *t, struct lk_wait *w)
{
    struct lk_extern *e = w->on.n == 1 ? lk_extern_at(py->s, w->on.v[0]) : NULL;
    w->timeout_ms = LK_FOREVER;
    w->traits |= LK_WAIT_POLLS;
    if (e && t->os.fd != LK_UNKNOWN)
        e->quiet_ms = lk_process_quiet_ms(py->t, t->os.fd);
}

/* ---- a process that has itself examined -------------------------------------------------- */

static bool waits_for_us(struct lk_py *py, const struct lk_wait *w)
{
    const struct lk_extern *e =
        w->kind == LK_WAIT_CHILD && w->on.n == 1 ? lk_extern_at(py->s, w->on.v[0]) : NULL;
    return e && e->child_pid > 0 && e->child_pid == lk_process_our_child(py->t);
}

/* Its handler's frames are left out, and the call that the signal came into is looked at: where it
 * is under way, what it was called with stands on the value stack of the frame below. What the
 * kernel says is said of the handler. */
static bool cut_handler(struct lk_py *py, size_t i, struct lk_pyframes *below)
{
    struct lk_thread *t = &py->s->threads.v[i];
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
    const struct lk_pystack *st = t->python_stack;
    size_t at = 0;
    while (frames && at + 1 < frames->n && !lk_py_is_handler(py, frames->v[at].code))
        at++;
    if (!frames || at + 1 >= frames->n || frames->n != st->n)
        return false;
    t->interrupted_by = st->frames[at].code ? st->frames[at].code->function : "?";
    *below = (struct lk_pyframes){ .v = frames->v + at + 1, .n = frames->n - at - 1 };
    t->python_stack =
        lk_snapshot_stack(py->s, st->frames + at + 1, st->n - (uint32_t)at - 1, st->truncated);
    t->os = lk_syscall_wait_none;
    lk_map_put(&py->frames_of, i, (uintptr_t)lk_py_frames_keep(py, below));
    return true;
}

static void wait_below_handler(struct lk_py *py, size_t i, struct lk_wait *w)
{
    const struct lk_ref ref = lk_ref_make(LK_KIND_THREAD, i);
    struct lk_pyframes below;
    if (!waits_for_us(py, w) || !cut_handler(py, i, &below))
        return;
    const struct lk_thread *t = &py->s->threads.v[i];
    struct lk_syscall_wait os = lk_syscall_wait_none;
    os.on = LK_OS_FUTEX;
    os.syscall = "futex";
    *w = (struct lk_wait){ .timeout_ms = LK_UNKNOWN, .read = t->read, .frame = -1 };
    wait_of_frames(py, ref, &os, &below, w);
    if (w->kind == LK_WAIT_UNKNOWN) { /* no lock: a selector, a child, a socket */
        os = lk_syscall_wait_none;
        wait_of_frames(py, ref, &os, &below, w);
    }
    /* Whether a timeout was given is known by `with`, which has none, and by the call's own. */
    if (w->traits & LK_WAIT_BY_WITH)
        w->timeout_ms = LK_FOREVER;
    else if (w->timeout_ms == LK_UNKNOWN)
        w->timeout_ms = timeout_of_call(py, &below.v[0]);
}

void lk_py_read_thread_wait(struct lk_py *py, size_t i)
{
    struct lk_thread *t = &py->s->threads.v[i];
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
    struct lk_ref ref = lk_ref_make(LK_KIND_THREAD, i);
    struct lk_wait w = { .timeout_ms = t->os.left_ms, .read = t->read, .frame = -1 };

    bool runs_loop = t->n_frame_loops && !t->running;

    if (t->wait.kind == LK_WAIT_GIL)
        return;
    if (t->running) {
        w.kind = LK_WAIT_NONE;
        w.timeout_ms = LK_FOREVER;
    } else if (frames && frames->n) {
        struct lk_syscall_wait os = t->os;
        wait_of_frames(py, ref, &os, frames, &w);
        lk_py_read_job_result(py, frames, true, &w);
        lk_py_read_polling_call(py, t, frames, &w);
    } else {
        struct lk_syscall_wait os = t->os;
        lk_wait_in_kernel(py, &os, ref, &w);
    }
    if (w.kind == LK_WAIT_IO && polls_without_end(py, frames))
        wait_without_end(py, t, &w);
    if (t->main && frames)
        wait_below_handler(py, i, &w);
    if (runs_loop && frames && frames->n && w.kind != LK_WAIT_SELECTOR)
        lk_py_read_builtin_calls(py, &frames->v[0], t);
    py->s->threads.v[i].wait = w;
}

/* A worker that shuts its own pool down waits for the others only: Thread.join() of the caller
 * itself raises. */
static void add_workers(struct lk_snapshot *s, const struct lk_pool_join *j)
{
    const struct lk_refs *workers = &s->executors.v[j->executor].workers;
    struct lk_wait *w = &s->threads.v[j->thread].wait;
    for (size_t i = 0; i < workers->n; i++)
        if (!lk_ref_eq(workers->v[i], lk_ref_make(LK_KIND_THREAD, j->thread)))
            lk_refs_add(s, &w->on, workers->v[i]);
    w->complete = w->on.n > 0;
}

void lk_py_finish_thread_waits(struct lk_py *py)
{
    const struct lk_reader *a = lk_reader(py);
    for (size_t i = 0; i < a->pool_joins.n; i++)
        add_workers(py->s, &a->pool_joins.v[i]);
}

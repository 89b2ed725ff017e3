/*
 * The driver of the readers of loops: in which order one part builds on another, and what can be
 * told of a loop only after everything else is known.
 */
#include "read/loops/read.h"

#include "read/loops/asyncio/cross_loop.h"
#include "read/loops/asyncio/run_frames.h"
#include "read/loops/asyncio/setters.h"
#include "read/loops/asyncio/transport_wait.h"
#include "read/loops/checked_out.h"
#include "read/loops/drain.h"
#include "read/loops/loop_kind.h"
#include "read/loops/own_connections.h"
#include "read/loops/reachable.h"
#include "read/loops/served_connections.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/executor.h"
#include "read/python/stdlib/lock_holder.h"
#include "read/python/stdlib/socket.h"
#include "read/python/waits/thread_wait.h"

/* Descriptor of a transport, whichever kind of loop made it. */
static int64_t transport_fd(struct lk_py *py, lk_addr transport)
{
    int64_t fd = LK_UNKNOWN;
    for (size_t i = 0; i < lk_n_loop_kinds && fd == LK_UNKNOWN; i++)
        if (lk_loop_kinds[i].transport_fd)
            fd = lk_loop_kinds[i].transport_fd(py, transport);
    return fd;
}

static void join_chain(struct lk_py *py, struct lk_pyframes *chain)
{
    for (size_t i = 0; i < lk_n_loop_kinds; i++)
        if (lk_loop_kinds[i].join_chain)
            lk_loop_kinds[i].join_chain(py, chain);
}

void lk_loops_begin(struct lk_py *py)
{
    lk_reader_end(py); /* what an interrupted sample may have left */
    py->timers.n = 0;
    lk_reader(py)->transport_fd = transport_fd;
    lk_reader(py)->join_chain = join_chain;
}

static bool any_kind_is_loaded(struct lk_py *py)
{
    bool any = lk_py_module_dict(py, "asyncio.events") != 0;
    for (size_t i = 0; i < lk_n_loop_kinds && !any; i++)
        any = lk_loop_kinds[i].cls && lk_py_module_dict(py, lk_loop_kinds[i].module);
    return any;
}

void lk_py_read_loops(struct lk_py *py)
{
    struct lk_snapshot *s = py->s;

    const char *before = lk_reading(py->t, "a loop");
    lk_loops_begin(py);
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        if (frames)
            lk_aio_note_setters(py, frames, lk_ref_make(LK_KIND_THREAD, i));
        lk_drain(py);
    }
    for (size_t i = 0; i < s->threads.n; i++) {
        lk_py_mention_executors(py, i);
        lk_drain(py);
        lk_py_add_worker(py, i);
    }
    for (size_t i = 0; any_kind_is_loaded(py) && i < s->threads.n; i++) {
        if (!s->threads.v[i].tstate)
            continue;
        lk_aio_mention_drivers(py, i);
        lk_drain(py);
        lk_aio_read_drivers(py, i);
    }
    lk_py_search_reachable(py);
    lk_drain(py);
    lk_reading(py->t, before);
}

/* ---- facts of the operating system ----------------------------------------------------- */

/* True when the thread drives the loop: by its frames, or by the runtime's record (a loop made in C
 * has no frames). */
static bool drives(const struct lk_thread *t, struct lk_ref loop)
{
    if (lk_ref_eq(t->running_loop, loop))
        return true;
    for (size_t i = 0; i < t->n_frame_loops; i++)
        if (lk_ref_eq(t->frame_loops[i], loop))
            return true;
    return false;
}

/*
 * glibc gives the stacks of the threads that were not copied to new ones, and with a stack comes
 * the ident: a loop that one of the parent's threads runs then seems to be run by whichever thread
 * of the child got it.
 */
static void check_runners(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->loops.n; i++) {
        struct lk_loop *o = &py->s->loops.v[i];
        const struct lk_thread *t =
            o->run == LK_LOOP_RUNNING ? lk_thread_at(py->s, o->thread) : NULL;
        if (!py->s->forked || !t ||
            (!lk_py_frames_of_thread(py, o->thread.index) && !t->outside_python) ||
            drives(t, lk_ref_make(LK_KIND_LOOP, i)))
            continue;
        o->run = t->read == LK_READ_RACY ? LK_LOOP_UNKNOWN : LK_LOOP_LOST_IN_FORK;
        o->thread = lk_ref_make(LK_KIND_NONE, 0);
    }
}

static void add_os_facts(struct lk_py *py, struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(py->s, o->thread);
    if (!t)
        return;
    if (t->os.syscall && o->epoll_fd != LK_UNKNOWN)
        o->in_own_selector = t->os.on == LK_OS_SELECTOR && t->os.fd == o->epoll_fd ? LK_YES : LK_NO;
    else if (t->running)
        o->in_own_selector = LK_NO;
    if (o->in_own_selector == LK_YES && o->ready > 0 && o->wakeup_read_fd != LK_UNKNOWN)
        o->wakeup_unread = lk_process_unread(py->t, o->wakeup_read_fd);
}

void lk_loops_finish(struct lk_py *py)
{
    struct lk_snapshot *s = py->s;
    check_runners(py);
    for (size_t i = 0; i < s->loops.n; i++)
        s->loops.v[i].tasks_pending = 0;
    for (size_t i = 0; i < s->tasks.n; i++) {
        const struct lk_task *k = &s->tasks.v[i];
        struct lk_loop *o = lk_loop_at(s, k->loop);
        if (o && (k->state == LK_TASK_PENDING || k->state == LK_TASK_RUNNING))
            o->tasks_pending++;
    }
    for (size_t i = 0; i < s->loops.n; i++)
        if (s->loops.v[i].in_own_selector == LK_TRI_UNKNOWN)
            add_os_facts(py, &s->loops.v[i]);
}

/* ---- tasks and waits --------------------------------------------------------------------- */

void lk_py_read_tasks(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);

    lk_read_registered(py);
    lk_loops_finish(py);
    py->s->tasks_complete = !a->tasks_cut && !a->bad_task && py->frames_complete;
    if (a->tasks_cut)
        lk_snapshot_limit_of(
            py->s, a->cut_task, a->cut_read,
            "the registry of tasks could not be read to its end; tasks may be missing");
    if (a->bad_task) {
        py->frames_complete = false; /* the sample as a whole is no basis for a verdict */
        lk_snapshot_limit_of(
            py->s, lk_snapshot_find(py->s, LK_KIND_TASK, a->bad_read.addr), a->bad_read,
            "asyncio tasks do not have the layout of CPython %s; they were not read", py->version);
    }
}

static void read_until(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        struct lk_ref until = lk_aio_read_until(py, i);
        lk_drain(py);
        if (until.kind == LK_KIND_NONE)
            continue;
        lk_drain_tasks(py);
        lk_aio_set_until(py, i, until);
    }
}

static void add_waiter(struct lk_snapshot *s, const struct lk_wait *w, struct lk_ref waiter)
{
    for (size_t i = 0; i < w->on.n; i++) {
        struct lk_lock *l = lk_lock_at(s, w->on.v[i]);
        if (l)
            lk_refs_add(s, &l->waiters, waiter);
    }
}

void lk_py_read_waits(struct lk_py *py)
{
    struct lk_snapshot *s = py->s;

    for (size_t i = 0; i < s->threads.n; i++) {
        lk_py_read_thread_wait(py, i);
        lk_drain(py);
    }
    lk_py_finish_thread_waits(py);
    read_until(py);
    lk_aio_finish_cross_loop(py);
    lk_drain(py);
    lk_find_enders(py);
    lk_aio_find_transports(py);
    lk_py_mention_held(py);
    lk_drain(py);
    lk_py_find_checked_out(py);
    lk_py_find_own_connections(py);
    lk_py_find_served_connections(py);
    check_runners(py); /* futures may have led to further loops */
    for (size_t i = 0; i < s->threads.n; i++)
        add_waiter(s, &s->threads.v[i].wait, lk_ref_make(LK_KIND_THREAD, i));
    for (size_t i = 0; i < s->tasks.n; i++)
        add_waiter(s, &s->tasks.v[i].wait, lk_ref_make(LK_KIND_TASK, i));
}

/* Threads of the parent that a forked child still names: by ident in loops, locks and thread
 * objects. */
#include "read/python/reader/reader.h"

enum {
    /* glibc x86-64 struct pthread (nptl/descr.h), the same from 2.31 on */
    PTHREAD_TID = 0x2d0,
    PTHREAD_CANCELHANDLING = 0x308,
    /* EXITING_BITMASK and TERMINATED_BITMASK of cancelhandling: the thread ended by itself */
    EXITING = 0x10 | 0x20,
};

/* The pid as the target itself sees it (it may live in another pid namespace): tid of its main
 * thread. 0 unknown. */
static uint32_t pid_inside(struct lk_py *py)
{
    uint32_t tid;
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_thread *t = &py->s->threads.v[i];
        if (t->main && t->ident && lk_read_u32(py->t, t->ident + PTHREAD_TID, &tid))
            return tid;
    }
    return 0;
}

bool lk_py_own_pid(struct lk_py *py, int32_t pid)
{
    uint32_t inside = pid_inside(py);
    return inside ? (uint32_t)pid == inside : !py->s->pid || pid == (int32_t)py->s->pid;
}

/* Another pid namespace: tids read in the target's memory are not those of this side's /proc. */
static bool same_namespace(struct lk_py *py)
{
    return pid_inside(py) == (uint32_t)py->s->pid;
}

static bool is_tid(struct lk_py *py, uint32_t tid)
{
    return lk_snapshot_find(py->s, LK_KIND_THREAD, (uint64_t)lk_process_tid(py->t, tid)).kind ==
           LK_KIND_THREAD;
}

/*
 * glibc sets the tid of threads that were not copied to 0 (nptl, __reclaim_stacks), except the
 * parent's main thread's. Any other tid may be a thread that began a moment ago.
 */
bool lk_py_ident_may_live(struct lk_py *py, uint64_t ident)
{
    uint32_t tid;
    if (!py->frames_complete)
        return true;
    if (!lk_read_u32(py->t, ident + PTHREAD_TID, &tid) || tid == 0)
        return false;
    return !same_namespace(py) || is_tid(py, tid);
}

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
void lk_loops_check_runners(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->loops.n; i++) {
        struct lk_loop *o = &py->s->loops.v[i];
        const struct lk_thread *t =
            o->run == LK_LOOP_RUNNING ? lk_thread_at(py->s, o->thread) : NULL;
        if (!py->s->forked || !t || !lk_py_frames_of_thread(py, o->thread.index) ||
            drives(t, lk_ref_make(LK_KIND_LOOP, i)))
            continue;
        o->run = t->read == LK_READ_RACY ? LK_LOOP_UNKNOWN : LK_LOOP_LOST_IN_FORK;
        o->thread = lk_ref_make(LK_KIND_NONE, 0);
    }
}

/* A thread that ended here says so itself; one that was not copied was cut off in the middle of its
 * life. */
bool lk_py_left_in_parent(struct lk_py *py, uint64_t ident)
{
    uint32_t tid, cancel;
    if (!ident || !py->frames_complete || lk_py_thread_by_ident(py, ident).kind != LK_KIND_NONE)
        return false;
    if (!lk_read_u32(py->t, ident + PTHREAD_TID, &tid) ||
        !lk_read_u32(py->t, ident + PTHREAD_CANCELHANDLING, &cancel))
        return false;
    if (cancel & EXITING)
        return false;
    return tid == 0 || (same_namespace(py) && !is_tid(py, tid));
}

static bool waits_for_ever(const struct lk_thread *t)
{
    return t && t->wait.kind == LK_WAIT_LOCK && t->wait.timeout_ms == LK_FOREVER &&
           t->wait.on.n == 1;
}

/* A Lock names no holder. Where each thread there is waits for it, none of them can be who gives it
 * back. */
static bool nobody_left(const struct lk_py *py, const struct lk_lock *l)
{
    if (!l->mutex || l->locked != LK_YES || l->owners.n || l->owner_by != LK_OWNER_NONE ||
        l->waiters.n != py->s->threads.n)
        return false;
    for (size_t i = 0; i < l->waiters.n; i++)
        if (!waits_for_ever(lk_thread_at(py->s, l->waiters.v[i])))
            return false;
    return l->waiters.n > 0;
}

void lk_py_find_lost_locks(struct lk_py *py)
{
    if (!py->s->forked || !py->frames_complete)
        return;
    for (size_t i = 0; i < py->s->locks.n; i++)
        if (nobody_left(py, &py->s->locks.v[i]))
            py->s->locks.v[i].lost_in_fork = true;
}

/* Threads of the parent that a forked child still names: by ident in loops, locks and thread
 * objects. */
#include "read/python/interpreter/forked_threads.h"

#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/thread_lookup.h"

/* glibc, nptl/descr.h: EXITING_BITMASK and TERMINATED_BITMASK of cancelhandling: the thread ended
 * by itself */
enum { EXITING = 0x10 | 0x20 };

/* The tid in glibc's struct pthread, whose address is the ident. */
static bool read_tid(struct lk_py *py, uint64_t ident, uint32_t *ret)
{
    return lk_read_u32(py->t, ident + lk_process_arch(py->t)->glibc.thread.tid, ret);
}

static bool read_cancelhandling(struct lk_py *py, uint64_t ident, uint32_t *ret)
{
    return lk_read_u32(py->t, ident + lk_process_arch(py->t)->glibc.thread.cancelhandling, ret);
}

/* The pid as the target itself sees it (it may live in another pid namespace): tid of its main
 * thread. 0 unknown. */
static uint32_t pid_inside(struct lk_py *py)
{
    uint32_t tid;
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_thread *t = &py->s->threads.v[i];
        if (t->main && t->ident && read_tid(py, t->ident, &tid))
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
    if (!read_tid(py, ident, &tid) || tid == 0)
        return false;
    return !same_namespace(py) || is_tid(py, tid);
}

/* A thread that ended here says so itself; one that was not copied was cut off in the middle of its
 * life. */
bool lk_py_left_in_parent(struct lk_py *py, uint64_t ident)
{
    uint32_t tid, cancel;
    if (!ident || !py->frames_complete || lk_py_thread_by_ident(py, ident).kind != LK_KIND_NONE)
        return false;
    if (!read_tid(py, ident, &tid) || !read_cancelhandling(py, ident, &cancel))
        return false;
    if (cancel & EXITING)
        return false;
    return tid == 0 || (same_namespace(py) && !is_tid(py, tid));
}

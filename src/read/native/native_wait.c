/*
 * Waits of native threads: the thread library's object behind a futex (glibc/pthread.c), a file
 * lock, else what the system call alone says. Holders that are no thread of this process, and rings
 * that the kernel refused to close, are told as far as /proc and the other threads tell them.
 */
#include "read/native/native_wait.h"

#include <linux/futex.h>
#include <string.h>

#include "read/native/glibc/pthread.h"
#include "snapshot/builder.h"
#include "util/compat.h"

static bool unexplained(const struct lk_thread *t)
{
    return !t->running && (t->wait.kind == LK_WAIT_UNKNOWN || t->wait.kind == LK_WAIT_NONE);
}

static struct lk_wait *start_wait(struct lk_thread *t, enum lk_wait_kind kind, const char *call)
{
    struct lk_wait *w = &t->wait;
    w->kind = kind;
    w->on = (struct lk_refs){ 0 };
    w->call = call;
    w->timeout_ms = t->os.timeout_ms;
    w->read = t->read;
    w->frame = -1;
    return w;
}

/* ---- holders that are no threads of this process ----------------------------------------- */

/* The only thread that fork copied stands on the stack that execve made: it was the parent's main
 * thread that forked. */
static bool forked_by_main_thread(struct lk_process *t, const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *th = &s->threads.v[i];
        const struct lk_mapping *m = th->main && th->sp ? lk_process_mapping_at(t, th->sp) : NULL;
        if (m)
            return strcmp(m->path, "[stack]") == 0;
    }
    return false;
}

/*
 * The holder is a thread of the parent, other than the one that forked, and was there before this
 * process was: the mutex was copied while it was held, and what the parent does with its own does
 * not touch the copy. The forking thread itself lives on here under another number.
 */
static bool was_left_in_parent(struct lk_process *t, const struct lk_snapshot *s, int64_t tid)
{
    const struct lk_machine *m = lk_process_machine(t);
    struct lk_stat_facts own, theirs;
    return s->ppid > 1 && tid != s->ppid && forked_by_main_thread(t, s) &&
           lk_process_shares_pids(t) && lk_machine_stat(m, s->ppid, tid, &theirs) &&
           lk_machine_stat(m, s->pid, 0, &own) && theirs.start_ticks < own.start_ticks;
}

static void note_absent_holder(struct lk_process *t, struct lk_snapshot *s, struct lk_ref ref,
                               const struct lk_pthread_object *o)
{
    struct lk_lock *l = lk_lock_at(s, ref);
    const struct lk_failed_read none = { 0 };
    if (!o->owner) {
        l->unowned = !o->process_shared;
        lk_snapshot_limit_of(
            s, ref, none,
            "a pthread_rwlock is held for reading: which threads hold it is recorded nowhere");
        return;
    }
    if (o->process_shared) {
        lk_snapshot_limit_of(s, ref, none,
                             "a process-shared %s is held by thread %lld of another process",
                             l->kind, (long long)o->owner);
        return;
    }
    if (was_left_in_parent(t, s, o->owner)) {
        l->lost_in_fork = true;
        l->owner_by = LK_OWNER_FIELD;
        l->owner_certain = true;
        return;
    }
    lk_snapshot_limit_of(s, ref, none,
                         "a %s is held by thread %lld, which is no thread of this process any more",
                         l->kind, (long long)o->owner);
}

/* ---- objects of the thread library ------------------------------------------------------- */

static struct lk_ref thread_of(struct lk_process *t, struct lk_snapshot *s, int64_t inner)
{
    int64_t tid = inner > 0 ? lk_process_tid(t, inner) : -1;
    return tid > 0 ? lk_snapshot_find(s, LK_KIND_THREAD, (uint64_t)tid)
                   : lk_ref_make(LK_KIND_NONE, 0);
}

static void fill_lock(struct lk_process *t, struct lk_snapshot *s, struct lk_ref ref,
                      const struct lk_pthread_object *o)
{
    struct lk_lock *l = lk_lock_at(s, ref);
    struct lk_ref owner = thread_of(t, s, o->owner);
    const bool rw = o->kind == LK_PT_RWLOCK;
    l->kind = rw ? "pthread_rwlock" : "pthread_mutex";
    l->type = rw ? LK_LOCK_TYPE_PTHREAD_RWLOCK : LK_LOCK_TYPE_PTHREAD_MUTEX;
    l->mutex = true;
    l->locked = LK_YES;
    if (owner.kind == LK_KIND_NONE) {
        note_absent_holder(t, s, ref, o);
        return;
    }
    l->owner_by = LK_OWNER_FIELD;
    l->owner_certain = true;
    lk_refs_add(s, &l->owners, owner);
    lk_refs_add(s, &s->threads.v[owner.index].holds, ref);
}

static void wait_for_lock(struct lk_process *t, struct lk_snapshot *s, size_t i,
                          const struct lk_pthread_object *o)
{
    struct lk_thread *th = &s->threads.v[i];
    bool is_new, timed = th->os.timeout_ms != LK_FOREVER;
    struct lk_ref ref = lk_snapshot_lock(s, o->at, &is_new);
    if (is_new)
        fill_lock(t, s, ref, o);
    lk_refs_add(s, &lk_lock_at(s, ref)->waiters, lk_ref_make(LK_KIND_THREAD, i));
    const char *call = o->kind == LK_PT_RWLOCK
                           ? (timed ? "pthread_rwlock_timedlock()" : "pthread_rwlock_lock()")
                       : timed ? "pthread_mutex_timedlock()"
                               : "pthread_mutex_lock()";
    struct lk_wait *w = start_wait(th, LK_WAIT_LOCK, call);
    lk_refs_add(s, &w->on, ref);
    w->complete = true;
}

static void wait_for_thread(struct lk_process *t, struct lk_snapshot *s, size_t i,
                            const struct lk_pthread_object *o)
{
    struct lk_ref joined = thread_of(t, s, o->owner);
    if (joined.kind == LK_KIND_NONE)
        return;
    struct lk_wait *w = start_wait(&s->threads.v[i], LK_WAIT_JOIN, "pthread_join()");
    lk_refs_add(s, &w->on, joined);
    w->complete = true;
}

/* In futex(2) itself: its operation is argument 1. */
static bool is_in_futex(const struct lk_syscall_wait *os)
{
    return os->on == LK_OS_FUTEX && os->call == LK_OS_CALL_FUTEX;
}

static bool waits_by_inheritance(const struct lk_thread *t)
{
    int command = (int)(t->os.args[1] & FUTEX_CMD_MASK);
    return is_in_futex(&t->os) && (command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2) &&
           t->wait.kind == LK_WAIT_LOCK;
}

/* Threads that a ring of priority-inheriting mutexes leads to t, t last. */
static void collect_ring(const struct lk_snapshot *s, size_t t, bool *in)
{
    in[t] = true;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < s->threads.n; i++) {
            const struct lk_lock *l =
                in[i] || !waits_by_inheritance(&s->threads.v[i]) || !s->threads.v[i].wait.on.n
                    ? NULL
                    : lk_lock_at(s, s->threads.v[i].wait.on.v[0]);
            if (l && l->owners.n == 1 && l->owners.v[0].kind == LK_KIND_THREAD &&
                in[l->owners.v[0].index])
                in[i] = more = true;
        }
    }
}

/*
 * Whichever mutex it was, its holder is one of those that wait for this thread. That the thread was
 * refused is itself an inference, from where the word lies: so the lock's holders are likely, not
 * certain.
 */
static void wait_for_ring(struct lk_snapshot *s, size_t t)
{
    bool *in = lk_arena_array(s->arena, s->threads.n, sizeof *in), is_new;
    size_t n = 0;
    collect_ring(s, t, in);
    for (size_t i = 0; i < s->threads.n; i++)
        n += in[i];
    if (n < 2)
        return;
    struct lk_ref ref = lk_snapshot_lock(s, s->threads.v[t].os.futex, &is_new);
    struct lk_lock *l = lk_lock_at(s, ref);
    l->kind = "pthread_mutex";
    l->type = LK_LOCK_TYPE_PTHREAD_MUTEX;
    l->mutex = true;
    l->locked = LK_YES;
    for (size_t i = 0; i < s->threads.n; i++)
        if (in[i] && i != t)
            lk_refs_add(s, &l->owners, lk_ref_make(LK_KIND_THREAD, i));
    lk_refs_add(s, &l->waiters, lk_ref_make(LK_KIND_THREAD, t));
    struct lk_wait *w = start_wait(&s->threads.v[t], LK_WAIT_LOCK, "pthread_mutex_lock()");
    lk_refs_add(s, &w->on, ref);
    w->complete = true;
}

static bool decode(struct lk_process *t, const struct lk_thread *th, struct lk_pthread_object *ret)
{
    const struct lk_syscall_wait *os = &th->os;
    struct lk_futex_wait w = { .at = os->futex,
                               .command = (int)(os->args[1] & FUTEX_CMD_MASK),
                               .value = (uint32_t)os->args[2],
                               .sp = th->sp,
                               .endless = os->timeout_ms == LK_FOREVER };
    return is_in_futex(os) && os->futex && lk_pthread_decode(t, &w, ret);
}

static bool wait_in_library(struct lk_process *t, struct lk_snapshot *s, size_t i)
{
    struct lk_pthread_object o;
    if (!decode(t, &s->threads.v[i], &o))
        return false;
    if (o.kind == LK_PT_REFUSED)
        return false; /* once it is known who waits for whom */
    if (o.kind == LK_PT_JOIN)
        wait_for_thread(t, s, i, &o);
    else
        wait_for_lock(t, s, i, &o);
    return true;
}

/* ---- file locks -------------------------------------------------------------------------- */

/* File locks have no address in the target: they get one that no object there can have. */
static lk_addr file_lock_key(const struct lk_syscall_wait *os)
{
    return UINT64_C(0xf11e) << 48 ^ os->lock_inode << 12 ^ (uint64_t)(os->lock_fd + 1);
}

/*
 * Held by this process itself. Which thread took it is recorded nowhere, and any may give it back:
 * the graph looks at all of them. The only one whose frames name the file that has the lock is
 * likely to be the one.
 */
static struct lk_ref own_file_lock(struct lk_snapshot *s, const struct lk_thread *t)
{
    const struct lk_syscall_wait *os = &t->os;
    bool is_new;
    struct lk_ref ref = lk_snapshot_lock(s, file_lock_key(os), &is_new);
    struct lk_lock *l = lk_lock_at(s, ref);
    l->kind = "file lock";
    l->type = LK_LOCK_TYPE_FILE;
    l->mutex = true;
    l->locked = LK_YES;
    l->of_process = os->locked_by == LK_LOCKED_SELF;
    if (is_new && l->of_process && t->lock_users.n == 1)
        lk_refs_add(s, &l->owners, t->lock_users.v[0]);
    if (is_new)
        lk_snapshot_limit_of(
            s, ref, (struct lk_failed_read){ 0 },
            "%s is locked by this process itself%s: which thread took that lock is "
            "recorded nowhere",
            os->path ? os->path : "a file",
            os->lock_fd < 0 ? ""
                            : lk_arena_printf(s->arena, ", through file descriptor %lld",
                                              (long long)os->lock_fd));
    return ref;
}

static void wait_for_file_lock(struct lk_snapshot *s, size_t i)
{
    struct lk_thread *t = &s->threads.v[i];
    const char *path = t->os.path ? t->os.path : "a file";
    struct lk_ref on;
    t->wait.call = lk_arena_printf(s->arena, "%s() on %s", t->os.syscall, path);
    if (t->os.locked_by == LK_LOCKED_OTHER) {
        t->wait.kind = LK_WAIT_IO;
        on = lk_snapshot_extern(
            s, LK_EXT_FILE,
            lk_arena_printf(s->arena, "%s, which holds the lock on %s", t->os.lock_holder, path),
            LK_UNKNOWN);
    } else {
        t->wait.kind = LK_WAIT_LOCK;
        on = own_file_lock(s, t);
        lk_refs_add(s, &lk_lock_at(s, on)->waiters, lk_ref_make(LK_KIND_THREAD, i));
    }
    t->wait.on = (struct lk_refs){ 0 };
    lk_refs_add(s, &t->wait.on, on);
    t->wait.complete = t->os.locked_by == LK_LOCKED_SELF;
    t->wait.timeout_ms = t->os.timeout_ms;
    t->wait.read = t->read;
}

/* ---- the kernel's word ------------------------------------------------------------------- */

static enum lk_extern_kind outside_kind(const struct lk_syscall_wait *os)
{
    if (os->on == LK_OS_FILE)
        return LK_EXT_FILE;
    return os->peer_is == LK_PEER_SELF ? LK_EXT_SELF_LISTENER : LK_EXT_OUTSIDE;
}

static void wait_in_kernel(struct lk_snapshot *s, struct lk_thread *t)
{
    const struct lk_syscall_wait *os = &t->os;
    const char *call = os->syscall ? lk_arena_printf(s->arena, "%s()", os->syscall) : NULL;
    const char *text = os->peer ? os->peer : os->path ? os->path : os->local ? os->local : "";
    switch (os->on) {
    case LK_OS_SOCKET:
    case LK_OS_PIPE:
    case LK_OS_FILE:
    case LK_OS_EVENTFD:
        lk_refs_add(s, &start_wait(t, LK_WAIT_IO, call)->on,
                    lk_snapshot_extern(s, outside_kind(os), text, LK_UNKNOWN));
        break;
    case LK_OS_SELECTOR:
        lk_refs_add(
            s, &start_wait(t, LK_WAIT_IO, call)->on,
            lk_snapshot_extern(s, LK_EXT_OUTSIDE, *text ? text : "file descriptors", LK_UNKNOWN));
        break;
    case LK_OS_TIMER: start_wait(t, LK_WAIT_SLEEP, call); break;
    case LK_OS_CHILD: start_wait(t, LK_WAIT_CHILD, call); break;
    case LK_OS_SIGNAL: start_wait(t, LK_WAIT_SIGNAL, call); break;
    case LK_OS_FUTEX: start_wait(t, LK_WAIT_UNKNOWN, call); break;
    case LK_OS_NONE:
    case LK_OS_SYSV:
    case LK_OS_OTHER: break;
    }
}

void lk_native_read(struct lk_process *t, struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++) {
        struct lk_thread *th = &s->threads.v[i];
        if (th->os.locked_by != LK_LOCKED_UNKNOWN && !th->running)
            wait_for_file_lock(s, i);
        else if (unexplained(th) && !wait_in_library(t, s, i) && th->wait.kind == LK_WAIT_NONE)
            wait_in_kernel(s, th);
    }
    for (size_t i = 0; i < s->threads.n; i++) {
        struct lk_pthread_object o;
        if (unexplained(&s->threads.v[i]) && decode(t, &s->threads.v[i], &o) &&
            o.kind == LK_PT_REFUSED)
            wait_for_ring(s, i);
    }
}

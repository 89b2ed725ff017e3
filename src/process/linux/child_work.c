/*
 * A child at work, for whoever waits for its result: it runs, ran a moment ago (se.exec_start of
 * /proc/PID/task/TID/sched), or one of its threads waits for what comes by itself: a timer,
 * clients, a connection. What only waits for a lock or a pipe may wait for ever: so does an idle
 * worker of a pool. Who waits for children of its own (a shell) does what those do. Workers of
 * multiprocessing.Pool take turns at one pipe: one reads, the others wait for a semaphore
 * (multiprocessing/queues.py SimpleQueue.get). A write to a pipe ends only when it is read: who can
 * is told by the links in /proc/PID/fd and the flags in fdinfo, proc_pid_fdinfo(5).
 */
#include "process/linux/child_work.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "process/linux/procfs.h"
#include "util/text.h"

enum {
    LATELY_MS = 300,
    MAX_DEPTH = 4,      /* a shell in a shell ... */
    MAX_CHILDREN = 256, /* and theirs, that are asked in all */
};

/* A process that is looked at, and where what is found of it is put meanwhile. */
struct look {
    struct lk_process *t;
    struct lk_arena *arena;
};

static enum lk_child_does by_call(const struct look *x, const struct lk_thread_facts *f)
{
    struct lk_syscall_wait w;
    lk_process_call(x->t, f, x->arena, &w);
    switch (w.on) {
    case LK_OS_TIMER:
    case LK_OS_SELECTOR:
    case LK_OS_SOCKET:
    case LK_OS_SIGNAL: return LK_CHILD_WAITS;
    default: return LK_CHILD_STANDS;
    }
}

static enum lk_child_does does(const struct look *x, const struct lk_thread_facts *f)
{
    if (f->running || f->state == 'R' || f->state == 'D')
        return LK_CHILD_RUNS;
    if (f->unread)
        return LK_CHILD_UNKNOWN;
    if (f->off_cpu_ms != LK_UNKNOWN && f->off_cpu_ms < LATELY_MS)
        return LK_CHILD_WAITS;
    return f->state == 'S' && f->syscall_known ? by_call(x, f) : LK_CHILD_STANDS;
}

/* Asks of each thread of a process until ask() says that it is enough. */
static void each_thread(const struct lk_process *t, pid_t pid,
                        bool (*ask)(const struct look *, const struct lk_thread_list *, size_t,
                                    void *),
                        void *arg)
{
    struct lk_error err = { 0 };
    struct lk_thread_list list = { 0 };
    struct lk_process *child = lk_process_open_other(t, pid, &err);
    if (!child)
        return;
    const struct look x = { child, lk_arena_create() };
    if (lk_process_threads(child, &list, true, &err))
        for (size_t i = 0; i < list.n && ask(&x, &list, i, arg); i++)
            ;
    lk_arena_destroy(x.arena);
    lk_process_destroy(child);
    lk_free(list.v);
}

/* What a process, and whom it waits for, is found to do. */
struct work {
    const struct lk_process *t;
    enum lk_child_does most;
    bool unread;       /* what one of the threads does */
    bool for_children; /* one of them waits for those */
    unsigned depth, asked;
};

static bool note_work(const struct look *x, const struct lk_thread_list *list, size_t i, void *arg)
{
    struct work *w = arg;
    struct lk_syscall_wait wait = { 0 };
    const struct lk_thread_facts *f = &list->v[i];
    const enum lk_child_does one = does(x, f);
    w->unread |= one == LK_CHILD_UNKNOWN;
    w->most = LK_MAX(w->most, one);
    if (one == LK_CHILD_STANDS && f->state == 'S' && f->syscall_known)
        lk_process_call(x->t, f, x->arena, &wait);
    w->for_children |= wait.on == LK_OS_CHILD;
    return true;
}

static bool ask(int64_t pid, void *arg)
{
    struct work *w = arg;
    w->asked++;
    w->for_children = false;
    each_thread(w->t, (pid_t)pid, note_work, w);
    if (w->for_children && w->most < LK_CHILD_WAITS && w->depth < MAX_DEPTH) {
        w->depth++;
        lk_procfs_children((pid_t)pid, ask, w);
        w->depth--;
    }
    return w->most < LK_CHILD_WAITS && w->asked < MAX_CHILDREN;
}

enum lk_child_does lk_child_work(const struct lk_process *t, pid_t pid)
{
    struct work w = { .t = t };
    ask(pid, &w);
    return w.unread && w.most == LK_CHILD_STANDS ? LK_CHILD_UNKNOWN : w.most;
}

/* ---- a worker that waits for a job --------------------------------------------------------- */

struct idle {
    const char *pipe;
    lk_addr futex;
    bool idles;
};

static bool note_idle(const struct look *x, const struct lk_thread_list *list, size_t i, void *arg)
{
    struct idle *idle = arg;
    const struct lk_thread_facts *f = &list->v[i];
    struct lk_syscall_wait w;
    if (list->n != 1 || f->running || f->state != 'S' || !f->syscall_known ||
        f->off_cpu_ms == LK_UNKNOWN || f->off_cpu_ms < LATELY_MS)
        return false;
    lk_process_call(x->t, f, x->arena, &w);
    if (w.on == LK_OS_FUTEX) {
        idle->idles = w.futex == idle->futex;
    } else if (w.on == LK_OS_PIPE && w.call == LK_OS_CALL_READ) {
        const char *name = lk_process_fd_name(x->t, w.fd, x->arena);
        idle->idles = name && strcmp(name, idle->pipe) == 0;
    }
    return false;
}

bool lk_child_idles_at(const struct lk_process *t, pid_t pid, const char *pipe, lk_addr futex)
{
    struct idle x = { .pipe = pipe, .futex = futex };
    each_thread(t, pid, note_idle, &x);
    return x.idles;
}

/* ---- a pipe that nobody empties ------------------------------------------------------------ */

struct pipe_reader {
    struct lk_procfs_folder folder;
    const char *pipe;
    bool found;
};

static bool is_reading_end(int64_t fd, void *arg)
{
    struct pipe_reader *r = arg;
    const int dir = r->folder.whole;
    char link[PATH_MAX], info[1024];
    uint64_t flags;
    r->found = lk_procfs_link(link, sizeof(link), dir, "fd/%lld", (long long)fd) > 0 &&
               strcmp(link, r->pipe) == 0 &&
               lk_procfs_read(info, sizeof(info), dir, "fdinfo/%lld", (long long)fd) > 0 &&
               lk_procfs_field(info, "flags:", 8, &flags) && (flags & O_ACCMODE) == O_RDONLY;
    return !r->found;
}

static bool reads_pipe(pid_t pid, const char *pipe)
{
    struct pipe_reader r = { .pipe = pipe };
    if (lk_procfs_enter(pid, &r.folder))
        lk_procfs_each_id(is_reading_end, &r, r.folder.whole, "fd");
    lk_procfs_leave(&r.folder);
    return r.found;
}

static const char *filled_pipe(const struct look *x, const struct lk_thread_facts *f, pid_t reader)
{
    struct lk_syscall_wait w;
    if (f->running || f->state != 'S' || !f->syscall_known)
        return NULL;
    lk_process_call(x->t, f, x->arena, &w);
    if (w.on != LK_OS_PIPE || w.call != LK_OS_CALL_WRITE || w.fd == LK_UNKNOWN)
        return NULL;
    const char *name = lk_process_fd_name(x->t, w.fd, x->arena);
    return name && reads_pipe(reader, name) ? name : NULL;
}

struct fills {
    pid_t reader;
    struct lk_arena *arena;
    const char *pipe;
};

static bool note_filled(const struct look *x, const struct lk_thread_list *list, size_t i,
                        void *arg)
{
    struct fills *fills = arg;
    const char *name = filled_pipe(x, &list->v[i], fills->reader);
    fills->pipe = name ? lk_text_clean(fills->arena, name, strlen(name), 256) : NULL;
    return !fills->pipe;
}

const char *lk_child_fills_pipe(const struct lk_process *t, pid_t pid, pid_t reader,
                                struct lk_arena *arena)
{
    struct fills x = { .reader = reader, .arena = arena };
    each_thread(t, pid, note_filled, &x);
    return x.pipe;
}

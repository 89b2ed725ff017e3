/*
 * A tree of processes that has come to a halt. A futex is ended by a thread that shares the memory,
 * waitpid(2) by a child, a pipe by who holds its ends, an eventfd(2) by who holds it: all of the
 * tree when none of its ends is a stranger's. Sockets, terminals and signals lead out of it.
 */
#include "examine/tree_halt.h"

#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "util/text.h"

enum { MOST_FDS = 256, MOST_PIPES = 4096 };

struct tree {
    const struct lk_machine *machine;
    const struct lk_report *reports;
    size_t n;
    struct lk_arena *arena;
    struct {
        char **v;
        size_t n, cap;
    } pipes; /* on which somebody waits, by name */
    bool timed;
    int64_t left_ms;
};

static bool is_member(const struct tree *x, int64_t pid)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->reports[i].snap->pid == pid)
            return true;
    return false;
}

/* ---- what a thread waits for ----------------------------------------------------------------- */

static bool is_wakeup(const struct lk_snapshot *s, int64_t fd)
{
    for (size_t i = 0; i < s->loops.n; i++)
        if (s->loops.v[i].wakeup_read_fd == fd)
            return true;
    return false;
}

/* What makes it ready is done in the tree; pipes are noted, to be looked at together. */
static bool is_inner_fd(struct tree *x, const struct lk_snapshot *s, int64_t fd)
{
    const char *name = lk_machine_fd_name(x->machine, s->pid, fd, x->arena);
    if (name && lk_starts_with(name, "anon_inode:[eventfd"))
        return true;
    if (!name || !lk_starts_with(name, "pipe:["))
        return name && is_wakeup(s, fd);
    for (size_t i = 0; i < x->pipes.n; i++)
        if (strcmp(x->pipes.v[i], name) == 0)
            return true;
    if (x->pipes.n >= MOST_PIPES)
        return false;
    lk_vec_add(&x->pipes, lk_arena_strdup(x->arena, name));
    return true;
}

/* waitpid(2) is for children, all of which are known; a pidfd may be of any process. */
static bool is_inner_process(const struct tree *x, const struct lk_syscall_wait *os)
{
    return os->child_pid > 0 ? is_member(x, os->child_pid) : os->fd == LK_UNKNOWN;
}

static bool is_inner_wait(struct tree *x, const struct lk_snapshot *s,
                          const struct lk_syscall_wait *os)
{
    if (os->on == LK_OS_CHILD)
        return is_inner_process(x, os);
    if (os->on == LK_OS_FUTEX)
        return true;
    if (os->on == LK_OS_PIPE || os->on == LK_OS_EVENTFD)
        return is_inner_fd(x, s, os->fd);
    if (os->on != LK_OS_SELECTOR || !os->fds.n || os->fds.n >= MOST_FDS)
        return os->on == LK_OS_TIMER;
    for (size_t i = 0; i < os->fds.n; i++)
        if (!is_inner_fd(x, s, os->fds.v[i]))
            return false;
    return true;
}

static void note_timer(struct tree *x, const struct lk_thread *t)
{
    if (t->os.timeout_ms == LK_FOREVER || lk_stack_has(t->python_stack, LK_MARK_ASKS_AGAIN))
        return;
    const int64_t left = t->os.timeout_ms == LK_UNKNOWN ? LK_UNKNOWN : t->os.left_ms;
    x->left_ms = !x->timed                                        ? left
                 : left == LK_UNKNOWN || x->left_ms == LK_UNKNOWN ? LK_UNKNOWN
                                                                  : LK_MAX(left, x->left_ms);
    x->timed = true;
}

/* It has slept on since it was read: then all of them slept at one and the same moment. */
static bool sleeps_on(const struct tree *x, const struct lk_snapshot *s, const struct lk_thread *t)
{
    uint64_t times;
    return !t->running && !t->moved && !t->unread && t->kstate != 'R' &&
           (lk_stack_has(t->python_stack, LK_MARK_ASKS_AGAIN) ||
            (lk_machine_times_run(x->machine, s->pid, t->tid, &times) && times == t->switches));
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool is_read(const struct lk_snapshot *s)
{
    const struct lk_process_halt *stop = &s->stop;
    return !s->not_examined && s->threads.n && !stop->job_stopped && !stop->tracer_pid &&
           !stop->frozen && s->handles_alarm == LK_NO;
}

static bool knows_children(const struct tree *x, const struct lk_snapshot *s)
{
    struct lk_pids c;
    if (!lk_machine_children(x->machine, s->pid, x->arena, &c))
        return false;
    for (size_t i = 0; i < c.n; i++)
        if (!is_member(x, c.v[i]))
            return false;
    return true;
}

static bool halts(struct tree *x, const struct lk_snapshot *s)
{
    if (!is_read(s) || !knows_children(x, s))
        return false;
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        if (t->kstate == 'Z' || t->kstate == 'X')
            continue;
        if (!is_inner_wait(x, s, &t->os) || !sleeps_on(x, s, t))
            return false;
        note_timer(x, t);
    }
    return true;
}

static bool pipes_stay_inside(const struct tree *x)
{
    if (!x->pipes.n)
        return true;
    const struct lk_pipe_names names = { x->pipes.v, x->pipes.n };
    struct lk_pipe_ends ends;
    if (!lk_machine_pipe_ends(x->machine, &names, x->arena, &ends))
        return false;
    for (size_t i = 0; i < ends.n; i++)
        if (!is_member(x, ends.v[i].pid))
            return false;
    /* Processes of other users may have an end that is not seen; whoever gave one to the command is
     * seen. */
    return true;
}

enum lk_tree_halt lk_tree_halt(const struct lk_machine *m, const struct lk_report *reports,
                               size_t n, int64_t *left_ms)
{
    struct tree x = {
        .machine = m, .reports = reports, .n = n, .arena = lk_arena_create(), .left_ms = LK_UNKNOWN
    };
    bool all = n > 0;
    for (size_t i = 0; all && i < n; i++)
        all = halts(&x, reports[i].snap);
    all = all && pipes_stay_inside(&x);
    *left_ms = x.left_ms;
    lk_free(x.pipes.v);
    lk_arena_destroy(x.arena);
    return !all ? LK_TREE_GOES_ON : x.timed ? LK_TREE_TIMED : LK_TREE_HALTED;
}

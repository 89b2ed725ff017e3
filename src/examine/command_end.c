/*
 * The way from a command to what holds up its end. A process ends when its main thread does: Python
 * joins the threads that are no daemons there (Lib/threading.py _shutdown), so they lie on that way
 * too. The main thread never goes on when it has a part in a proven deadlock or waits for one, or
 * when it waits, without a timeout, for the end or the pipes of processes of which the same is
 * true; nor does anything when all of the tree has come to a halt. A process that catches SIGALRM,
 * SIGVTALRM or SIGPROF may have a timer that cannot be read (setitimer(2)), so its waits end some
 * time.
 */
#include "examine/command_end.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/graph/graph.h"
#include "examine/sample/history.h"
#include "examine/tree_halt.h"
#include "process/facts.h"
#include "report/test_name.h"
#include "util/text.h"

enum { MAX_DEPTH = 64, MAX_PIPE_FDS = 4 };

struct way {
    const struct lk_machine *machine;
    const struct lk_report *reports;
    size_t n;
    enum end { UNASKED = 0, ASKING, FREE, TIMED, HELD } * of; /* by report */
    const struct lk_finding *finding;
    int64_t left_ms, spare_ms;
};

static size_t report_of(const struct way *w, int64_t pid)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->reports[i].snap->pid == pid && !w->reports[i].snap->not_examined)
            return i;
    return w->n;
}

static const struct lk_thread *main_thread(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (s->threads.v[i].main)
            return &s->threads.v[i];
    return NULL;
}

static int64_t later(int64_t a, int64_t b)
{
    return a == LK_UNKNOWN ? b : b == LK_UNKNOWN ? a : LK_MAX(a, b);
}

/* ---- timers that are not on the way, and may end a process ---------------------------- */

/* "run" of threading.py that itself waits is Timer.run; Thread.run calls the program's code. */
static bool is_timer_thread(const struct lk_thread *t)
{
    for (uint32_t i = 1; t->python_stack && i < t->python_stack->n; i++) {
        const struct lk_code *c = t->python_stack->frames[i].code,
                             *callee = t->python_stack->frames[i - 1].code;
        if (c && callee && c->cls == LK_CODE_STDLIB && strcmp(c->function, "run") == 0 &&
            strcmp(callee->function, "wait") == 0 && lk_ends_with(c->file, "/threading.py"))
            return true;
    }
    return false;
}

/*
 * threading.Timer (pytest-timeout), and a thread without Python that sleeps in a timed lock beside
 * an interpreter (faulthandler.dump_traceback_later, Modules/faulthandler.c): what they call may be
 * _exit(2). A timer that has passed and ended nothing is no reason to wait again.
 */
static int64_t spare_time(const struct lk_snapshot *s)
{
    int64_t most = LK_UNKNOWN;
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        const bool native = s->python.present && !t->python && !t->main && t->os.on == LK_OS_FUTEX;
        if ((native || is_timer_thread(t)) && t->os.left_ms != LK_FOREVER)
            most = later(most, t->os.left_ms);
    }
    return most;
}

/* ---- inside one process --------------------------------------------------------------- */

static bool is_proven_deadlock(const struct lk_finding *f)
{
    return f->severity == LK_DEADLOCK && f->confidence == LK_PROVEN;
}

static bool is_held(const struct lk_graph *g, const bool *mark, struct lk_ref r)
{
    const struct lk_node *n = lk_graph_node(g, r);
    return n && mark[n - g->nodes] && n->life == LK_LIFE_DEAD;
}

static void mark_all(const struct lk_graph *g, const struct lk_refs *refs, bool *mark)
{
    for (size_t i = 0; i < refs->n; i++) {
        const struct lk_node *n = lk_graph_node(g, refs->v[i]);
        if (n)
            mark[n - g->nodes] = true;
    }
}

/* The main thread, or the task that it runs its loop for, has a part in it or waits for it. */
static bool holds_main(const struct lk_snapshot *s, const struct lk_graph *g,
                       const struct lk_finding *f, bool *mark)
{
    const struct lk_thread *t = main_thread(s);
    const struct lk_ref main_ref = lk_ref_make(LK_KIND_THREAD, (size_t)(t - s->threads.v));
    struct lk_ref roots[2 * 64];
    size_t n = 0;
    if (lk_refs_has(&f->threads, main_ref) || lk_refs_has(&f->tasks, t->drives))
        return true;
    for (size_t i = 0; i < f->threads.n && n < LK_ARRAY_LEN(roots); i++)
        roots[n++] = f->threads.v[i];
    for (size_t i = 0; i < f->tasks.n && n < LK_ARRAY_LEN(roots); i++)
        roots[n++] = f->tasks.v[i];
    lk_graph_held_up_by(g, roots, n, mark);
    mark_all(g, &f->threads, mark);
    mark_all(g, &f->tasks, mark);
    return is_held(g, mark, main_ref) || is_held(g, mark, t->drives);
}

static const struct lk_finding *holds_itself(const struct lk_report *r)
{
    const struct lk_finding *ret = NULL;
    struct lk_graph *g = NULL;
    bool *mark = NULL;
    for (size_t i = 0; !ret && i < r->findings->list.n; i++) {
        const struct lk_finding *f = &r->findings->list.v[i];
        if (!is_proven_deadlock(f))
            continue;
        g = g ? g : lk_graph_build(r->snap);
        mark = mark ? mark : lk_xcalloc(g->n_nodes, sizeof *mark);
        if (holds_main(r->snap, g, f, mark))
            ret = f;
    }
    lk_free(mark);
    if (g)
        lk_graph_destroy(g);
    return ret;
}

/* ---- from process to process ---------------------------------------------------------- */

static enum end end_of(struct way *w, size_t i, int depth);

/* A shell starts what it waits for last; so does whoever starts one program only. All of them are
 * what others wait for. */
static enum end end_of_children(struct way *w, const struct lk_snapshot *s, int depth)
{
    const struct lk_supervisor *is = s->supervisor;
    const bool newest =
        is && (is->kind == LK_SUPERVISOR_SHELL || is->kind == LK_SUPERVISOR_PROGRAM);
    enum end all = s->children.n ? HELD : FREE;
    uint64_t youngest = 0;
    for (size_t i = 0; i < s->children.n; i++) {
        const int64_t pid = s->children.v[i].pid;
        const size_t child = report_of(w, pid);
        const uint64_t ticks = newest ? lk_machine_started(w->machine, pid) : 0;
        const enum end one = child < w->n ? end_of(w, child, depth + 1) : FREE;
        if (!newest)
            all = LK_MIN(all, one);
        else if (ticks >= youngest) {
            youngest = ticks;
            all = one;
        }
    }
    return all;
}

/*
 * A pipe in the hands of the tree alone, each of whose other ends never acts. One that the command
 * was given (its standard input) somebody outside has as well: whoever started it, for one.
 */
static enum end end_of_pipe(struct way *w, const struct lk_snapshot *s, int64_t fd, bool reads,
                            int depth)
{
    struct lk_arena *a = lk_arena_create();
    char *name[] = { (char *)lk_machine_fd_name(w->machine, s->pid, fd, a) };
    struct lk_pipe_ends ends;
    enum end all = HELD;
    size_t enders = 0;
    if (!*name || !lk_starts_with(*name, "pipe:[") ||
        !lk_machine_pipe_ends(w->machine, &(struct lk_pipe_names){ name, 1 }, a, &ends))
        ends = (struct lk_pipe_ends){ 0 };
    for (size_t i = 0; i < ends.n && all > FREE; i++) {
        const struct lk_pipe_end *e = &ends.v[i];
        const size_t holder = report_of(w, e->pid);
        if (holder == w->n) {
            all = FREE;
        } else if (e->pid != s->pid && (reads ? e->writes : e->reads)) {
            enders++;
            all = LK_MIN(all, end_of(w, holder, depth + 1));
        }
    }
    lk_arena_destroy(a);
    return enders ? all : FREE;
}

static enum end end_of_pipes(struct way *w, const struct lk_snapshot *s,
                             const struct lk_syscall_wait *os, int depth)
{
    const bool reads = os->call != LK_OS_CALL_WRITE;
    enum end all = HELD;
    if (os->on == LK_OS_PIPE)
        return end_of_pipe(w, s, os->fd, reads, depth);
    if (!os->fds.n || os->fds.n > MAX_PIPE_FDS || os->fd != LK_UNKNOWN)
        return FREE;
    for (size_t i = 0; i < os->fds.n; i++)
        all = LK_MIN(all, end_of_pipe(w, s, os->fds.v[i], reads, depth));
    return all;
}

/* What one thread waits for in other processes; whether with a timeout, the caller asks. */
static enum end end_across(struct way *w, const struct lk_snapshot *s, const struct lk_thread *t,
                           int depth)
{
    const struct lk_syscall_wait *os = &t->os;
    if (t->running || t->moved || t->unread)
        return FREE;
    if (os->on == LK_OS_CHILD && os->child_pid > 0) {
        const size_t child = report_of(w, os->child_pid);
        return child < w->n ? end_of(w, child, depth + 1) : FREE;
    }
    if (os->on == LK_OS_CHILD || (s->supervisor && s->supervisor->kind == LK_SUPERVISOR_PROGRAM))
        return end_of_children(w, s, depth);
    return end_of_pipes(w, s, os, depth);
}

/* The main thread waits for others of its threads, and one of those for processes. */
static enum end end_across_others(struct way *w, const struct lk_snapshot *s, int depth)
{
    const struct lk_thread *t = main_thread(s);
    const struct lk_ref main_ref = lk_ref_make(LK_KIND_THREAD, (size_t)(t - s->threads.v));
    enum end most = FREE;
    if (t->running || t->moved || lk_wait_is_timed(t) || !t->wait.on.n)
        return FREE;
    struct lk_graph *g = lk_graph_build(s);
    bool *mark = lk_xcalloc(g->n_nodes, sizeof *mark);
    for (size_t i = 0; most < HELD && i < s->threads.n; i++) {
        const struct lk_thread *o = &s->threads.v[i];
        if (o == t || (o->os.on != LK_OS_CHILD && o->os.on != LK_OS_PIPE) ||
            o->os.timeout_ms != LK_FOREVER)
            continue;
        lk_graph_held_up(g, lk_ref_make(LK_KIND_THREAD, i), mark);
        if (mark[lk_graph_node(g, main_ref) - g->nodes])
            most = LK_MAX(most, end_across(w, s, o, depth));
    }
    lk_free(mark);
    lk_graph_destroy(g);
    return most;
}

static enum end ask(struct way *w, size_t i, int depth)
{
    const struct lk_report *r = &w->reports[i];
    const struct lk_snapshot *s = r->snap;
    const struct lk_thread *t = main_thread(s);
    if (!t || depth > MAX_DEPTH)
        return FREE;
    const struct lk_finding *f = holds_itself(r);
    enum end ret = f ? HELD : end_across(w, s, t, depth);
    if (!f && ret == FREE)
        ret = end_across_others(w, s, depth);
    if (f && !w->finding)
        w->finding = f;
    if (!f && ret == HELD && t->os.timeout_ms != LK_FOREVER) {
        w->left_ms = t->os.left_ms;
        ret = TIMED;
    }
    if (ret == HELD && s->handles_alarm != LK_NO)
        ret = TIMED;
    if (ret == HELD)
        w->spare_ms = later(w->spare_ms, spare_time(s));
    return ret;
}

static enum end end_of(struct way *w, size_t i, int depth)
{
    if (w->of[i] == UNASKED) {
        w->of[i] = ASKING;
        w->of[i] = ask(w, i, depth);
    }
    return w->of[i] == ASKING ? FREE : w->of[i]; /* a ring of processes is a finding of its own */
}

/* ---- where it stands ------------------------------------------------------------------ */

static size_t child_on_the_way(const struct way *w, size_t i)
{
    const struct lk_snapshot *s = w->reports[i].snap;
    const struct lk_thread *t = main_thread(s);
    uint64_t youngest = 0;
    size_t ret = w->n;
    if (t && t->os.on == LK_OS_CHILD && t->os.child_pid > 0)
        return report_of(w, t->os.child_pid);
    if (t && t->os.peer_pid > 0 && report_of(w, t->os.peer_pid) < w->n)
        return report_of(w, t->os.peer_pid);
    for (size_t k = 0; k < s->children.n; k++) {
        const size_t child = report_of(w, s->children.v[k].pid);
        const uint64_t ticks = lk_machine_started(w->machine, s->children.v[k].pid);
        if (child < w->n && ticks >= youngest) {
            youngest = ticks;
            ret = child;
        }
    }
    return ret;
}

static bool runs_a_test(const struct lk_snapshot *s)
{
    struct lk_arena *a = lk_arena_create();
    struct lk_test test;
    const bool ret = !s->not_examined && lk_test_own(a, s, &test);
    lk_arena_destroy(a);
    return ret;
}

/* That of a thread which runs, or is on its way to it, is nothing. */
static int64_t thread_stuck_for(const struct lk_thread *t)
{
    return t->running || t->moved || t->kstate == 'R' || t->stuck_ms == LK_UNKNOWN ? 0
                                                                                   : t->stuck_ms;
}

/*
 * For how long a process has stood. Of Python's that is the main thread, unless one of the others
 * is known to end its wait; of any other program all threads, since nobody knows who works for
 * whom.
 */
static int64_t stuck_for(const struct lk_snapshot *s)
{
    const struct lk_thread *t = main_thread(s);
    int64_t least = t ? thread_stuck_for(t) : 0;
    if (least && s->python.present && s->python.frames_read) {
        struct lk_graph *g = lk_graph_build(s);
        const struct lk_ref r = lk_ref_make(LK_KIND_THREAD, (size_t)(t - s->threads.v));
        const bool served = t->wait.on.n && lk_graph_node(g, r)->life == LK_LIFE_LIVE;
        lk_graph_destroy(g);
        return served ? 0 : least;
    }
    for (size_t i = 0; least && i < s->threads.n; i++)
        least = LK_MIN(least, thread_stuck_for(&s->threads.v[i]));
    return least;
}

static bool is_running(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (s->threads.v[i].running || s->threads.v[i].kstate == 'R')
            return true;
    return false;
}

/* The process that has run its own test for longest without moving; else down the line of those
 * that wait. n: none. */
static size_t where_it_stands(const struct way *w, size_t root)
{
    size_t test = w->n;
    for (size_t i = 0; i < w->n; i++)
        if (runs_a_test(w->reports[i].snap) &&
            (test == w->n || stuck_for(w->reports[i].snap) > stuck_for(w->reports[test].snap)))
            test = i;
    if (test < w->n)
        return test;
    for (int depth = 0; root < w->n && depth < MAX_DEPTH; depth++) {
        const size_t next = child_on_the_way(w, root);
        if (next >= w->n || next == root)
            break;
        root = next;
    }
    return root;
}

static bool descends(const struct way *w, size_t i, size_t from)
{
    for (int depth = 0; i < w->n && depth < MAX_DEPTH; depth++) {
        if (i == from)
            return true;
        i = report_of(w, w->reports[i].snap->ppid);
    }
    return false;
}

/* All that it started stands as well: for how long the latest of them. */
static int64_t still_for(const struct way *w, size_t at)
{
    int64_t least = at < w->n ? stuck_for(w->reports[at].snap) : 0;
    for (size_t i = 0; least && i < w->n; i++)
        if (descends(w, i, at))
            least = LK_MIN(least, stuck_for(w->reports[i].snap));
    return least;
}

/* ---- the whole ------------------------------------------------------------------------ */

/* The command itself, or the first of its tree when it is not among them. */
static size_t find_root(const struct way *w, pid_t root)
{
    const size_t ret = report_of(w, root);
    for (size_t i = 0; ret == w->n && i < w->n; i++)
        if (w->reports[i].snap->ppid == root && !w->reports[i].snap->not_examined)
            return i;
    return ret;
}

static const struct lk_finding *worst(const struct lk_report *reports, size_t n)
{
    const struct lk_finding *ret = NULL;
    for (size_t i = 0; i < n; i++)
        if (reports[i].findings->list.n &&
            (!ret || reports[i].findings->list.v[0].severity > ret->severity))
            ret = &reports[i].findings->list.v[0];
    return ret;
}

static const struct lk_finding *proven_deadlock(const struct way *w)
{
    for (size_t i = 0; i < w->n; i++)
        for (size_t k = 0; k < w->reports[i].findings->list.n; k++)
            if (is_proven_deadlock(&w->reports[i].findings->list.v[k]))
                return &w->reports[i].findings->list.v[k];
    return NULL;
}

/* No way from the command to the deadlock is known, but nothing of the tree will ever act. */
static bool is_at_a_halt(struct way *w)
{
    const struct lk_finding *f = proven_deadlock(w);
    int64_t left;
    const enum lk_tree_halt halt =
        f ? lk_tree_halt(w->machine, w->reports, w->n, &left) : LK_TREE_GOES_ON;
    if (halt == LK_TREE_HALTED)
        w->finding = f;
    if (halt == LK_TREE_TIMED)
        w->left_ms = later(w->left_ms, left);
    return halt == LK_TREE_HALTED;
}

struct lk_command_end lk_command_end(const struct lk_report *reports, size_t n, pid_t root)
{
    struct way w = { .machine = lk_machine_here(),
                     .reports = reports,
                     .n = n,
                     .left_ms = LK_UNKNOWN,
                     .spare_ms = LK_UNKNOWN };
    struct lk_command_end ret = { .left_ms = LK_UNKNOWN, .spare_ms = LK_UNKNOWN, .at = n };
    w.of = lk_xcalloc(n + 1, sizeof *w.of);
    const size_t first = find_root(&w, root);
    if (first < n) {
        ret.held = end_of(&w, first, 0) == HELD || is_at_a_halt(&w);
        ret.at = where_it_stands(&w, first);
        ret.left_ms = w.left_ms;
        ret.spare_ms = ret.held ? w.spare_ms : LK_UNKNOWN;
    }
    ret.still_ms = still_for(&w, ret.at);
    for (size_t i = 0; i < n; i++)
        ret.runs |= is_running(reports[i].snap);
    ret.finding = ret.held ? w.finding : worst(reports, n);
    lk_free(w.of);
    return ret;
}

bool lk_command_stood_still(struct lk_report *reports, size_t n, pid_t root, bool too_long,
                            int64_t ms)
{
    const struct lk_finding *f = worst(reports, n);
    const size_t at = lk_command_end(reports, n, root).at;
    if (at >= n || (f && f->severity >= LK_STALLED))
        return false;
    struct lk_snapshot *s = reports[at].snap;
    struct lk_arena *a = lk_arena_create();
    struct lk_test test;
    const bool known = lk_test_find(a, reports, n, at, &test);
    s->stood_still = too_long ? LK_RAN_TOO_LONG : LK_STOOD_STILL;
    s->stood_still_ms = ms;
    s->stood_still_in =
        known ? lk_arena_printf(s->arena, "%s%s%s of %s", test.phase ? test.phase : "",
                                test.phase ? " of " : "", test.name, test.group)
              : NULL;
    lk_arena_destroy(a);
    lk_findings_destroy(reports[at].findings);
    reports[at].findings = lk_diagnose(s);
    return true;
}

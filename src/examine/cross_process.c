/*
 * From examined processes to the waits between them: who holds the other end of a pipe or a file
 * lock, and whether a thread has slept on since it was read, the machine is asked
 * (process/facts.h). Who can act is a least fixed point over the processes.
 */
#include "examine/cross_process.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "process/facts.h"
#include "snapshot/builder.h"
#include "util/text.h"

enum { MAX_LINKS = 4096 };

/* One wait of one thread for other processes. */
struct crossing {
    size_t report, thread;
    int64_t child;      /* the process whose end is waited for; -1 */
    int64_t holder;     /* the process that has the file lock; -1 */
    uint64_t pipe;      /* its number in names, from 1; 0 */
    bool reads;         /* the waiter reads: who has the writing end can end the wait */
    bool ended_outside; /* somebody who was not examined can end it, or nobody can tell */
    bool no_answer;
};

struct linking {
    struct lk_report *reports;
    size_t n;
    struct {
        struct crossing *v;
        size_t n, cap;
    } waits;
    struct lk_pipe_ends ends;
    struct {
        char **v;
        size_t n, cap;
    } names;    /* links of descriptors: "pipe:[123]", or a FIFO's path */
    bool *acts; /* by report */
    struct lk_arena *arena;
    const struct lk_machine *machine;
};

/* ---- which waits ----------------------------------------------------------------------- */

static uint64_t number_of(struct linking *x, const char *name)
{
    for (size_t i = 0; i < x->names.n; i++)
        if (strcmp(x->names.v[i], name) == 0)
            return i + 1;
    lk_vec_add(&x->names, lk_xstrdup(name));
    return x->names.n;
}

static bool on_pipe(struct linking *x, const struct lk_snapshot *s,
                    const struct lk_syscall_wait *os, struct crossing *ret)
{
    const bool reads = os->call == LK_OS_CALL_READ;
    const char *name =
        os->on == LK_OS_PIPE && (reads || os->call == LK_OS_CALL_WRITE) && os->fd != LK_UNKNOWN
            ? lk_machine_fd_name(x->machine, s->pid, os->fd, x->arena)
            : NULL;
    if (!name)
        return false;
    ret->pipe = number_of(x, name);
    ret->reads = reads;
    return true;
}

/* A file lock that one other process has. */
static bool on_lock(const struct linking *x, const struct lk_snapshot *s,
                    const struct lk_syscall_wait *os, struct crossing *ret)
{
    if (os->on != LK_OS_FILE || os->locked_by != LK_LOCKED_OTHER)
        return false;
    return lk_machine_lock_owner(x->machine, s->pid, os->fd, os->call == LK_OS_CALL_FLOCK,
                                 &ret->holder);
}

/* Only waits without any timeout, of threads that were seen asleep: the others end, or end somehow.
 */
static void note_wait(struct linking *x, size_t report, size_t thread)
{
    const struct lk_snapshot *s = x->reports[report].snap;
    const struct lk_thread *t = &s->threads.v[thread];
    const struct lk_syscall_wait *os = &t->os;
    struct crossing w = { .report = report, .thread = thread, .child = -1, .holder = -1 };
    if (t->running || t->moved || t->read == LK_READ_RACY || os->timeout_ms != LK_FOREVER ||
        x->waits.n >= MAX_LINKS)
        return;
    if (t->wait.kind != LK_WAIT_NONE && t->wait.kind != LK_WAIT_UNKNOWN &&
        t->wait.timeout_ms != LK_FOREVER)
        return;
    if (os->on == LK_OS_CHILD && os->child_pid > 0)
        w.child = os->child_pid;
    else if (!on_lock(x, s, os, &w) && !on_pipe(x, s, os, &w))
        return;
    lk_vec_add(&x->waits, w);
}

static size_t report_of(const struct linking *x, int64_t pid)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->reports[i].snap->pid == pid)
            return i;
    return SIZE_MAX;
}

/* ---- who holds the pipes ----------------------------------------------------------------- */

static bool can_end(const struct crossing *w, const struct lk_pipe_end *e)
{
    return e->pipe == w->pipe && (w->reads ? e->writes : e->reads);
}

/* Anybody beside the examined processes who can end the wait. */
static bool has_stranger(const struct linking *x, const struct crossing *w)
{
    if (w->child > 0 || w->holder > 0)
        return report_of(x, LK_MAX(w->child, w->holder)) == SIZE_MAX;
    size_t enders = 0;
    for (size_t i = 0; i < x->ends.n; i++) {
        if (!can_end(w, &x->ends.v[i]))
            continue;
        enders++;
        if (report_of(x, x->ends.v[i].pid) == SIZE_MAX)
            return true;
    }
    /* No other end: the call returns at once (EOF, EPIPE), so something was misread. */
    return !enders || !x->ends.all_seen;
}

/* ---- who can act ------------------------------------------------------------------------- */

static bool can_act(const struct lk_report *r)
{
    const struct lk_snapshot *s = r->snap;
    const struct lk_process_halt *stop = &s->stop;
    if (stop->job_stopped || stop->tracer_pid || stop->frozen ||
        (s->python.present && !s->python.frames_read))
        return true; /* it is held up by something that may end */
    struct lk_graph *g = lk_graph_build(s);
    bool acts = s->threads.n == 0;
    for (size_t i = 0; !acts && i < s->threads.n; i++)
        acts = lk_graph_node(g, lk_ref_make(LK_KIND_THREAD, i))->life != LK_LIFE_DEAD;
    lk_graph_destroy(g);
    return acts;
}

/* A signal handler of a program's own runs whatever its main thread waits for, and may use any end
 * of a pipe that the process holds; the end of a child it does not bring about. */
static bool handler_may_act(const struct linking *x, size_t report)
{
    return x->reports[report].snap->own_handlers != LK_NO;
}

static bool ender_acts(const struct linking *x, const struct crossing *w)
{
    if (w->ended_outside)
        return true;
    if (w->child > 0)
        return x->acts[report_of(x, w->child)];
    if (w->holder > 0) {
        const size_t ender = report_of(x, w->holder);
        return x->acts[ender] || handler_may_act(x, ender);
    }
    for (size_t i = 0; i < x->ends.n; i++) {
        if (!can_end(w, &x->ends.v[i]))
            continue;
        const size_t ender = report_of(x, x->ends.v[i].pid);
        if (x->acts[ender] || handler_may_act(x, ender))
            return true;
    }
    return false;
}

/* Marks the processes that a wait without an answer needs, and those that they need in turn. */
static void mark_needed(const struct linking *x, const struct crossing *w, bool *needed)
{
    for (size_t i = 0; w->pipe && i < x->ends.n; i++)
        if (can_end(w, &x->ends.v[i]))
            needed[report_of(x, x->ends.v[i].pid)] = true;
    if (w->child > 0 || w->holder > 0)
        needed[report_of(x, LK_MAX(w->child, w->holder))] = true;
}

/* Who waits for a process that is held up by itself waits in no ring: it is that one's victim. */
static bool is_in_ring(const struct linking *x, const struct crossing *w, bool *needed)
{
    memset(needed, 0, x->n * sizeof *needed);
    mark_needed(x, w, needed);
    for (bool changed = true; changed && !needed[w->report];) {
        size_t before = 0, after = 0;
        for (size_t i = 0; i < x->n; i++)
            before += needed[i];
        for (size_t i = 0; i < x->waits.n; i++)
            if (x->waits.v[i].no_answer && needed[x->waits.v[i].report])
                mark_needed(x, &x->waits.v[i], needed);
        for (size_t i = 0; i < x->n; i++)
            after += needed[i];
        changed = after > before;
    }
    return needed[w->report];
}

static void free_victims(struct linking *x)
{
    bool *needed = lk_xcalloc(x->n, sizeof *needed), *victim = lk_xcalloc(x->waits.n, 1);
    for (size_t i = 0; i < x->waits.n; i++)
        victim[i] = x->waits.v[i].no_answer && !is_in_ring(x, &x->waits.v[i], needed);
    for (size_t i = 0; i < x->waits.n; i++)
        if (victim[i])
            x->waits.v[i].no_answer = false;
    lk_free(victim);
    lk_free(needed);
}

static void publish_mutes(struct linking *x)
{
    for (size_t i = 0; i < x->waits.n; i++) {
        struct lk_snapshot *s = x->reports[x->waits.v[i].report].snap;
        s->threads.v[x->waits.v[i].thread].no_answer = x->waits.v[i].no_answer;
    }
}

/*
 * The least fixed point of "can act", as inside one process: at first no process is thought to end
 * another's wait; each one that can act all the same frees those that wait for it. Who is never
 * freed waits in a ring.
 */
static void solve(struct linking *x)
{
    for (size_t i = 0; i < x->waits.n; i++) {
        x->waits.v[i].ended_outside = has_stranger(x, &x->waits.v[i]);
        x->waits.v[i].no_answer = !x->waits.v[i].ended_outside;
    }
    for (bool changed = true; changed;) {
        changed = false;
        publish_mutes(x);
        for (size_t i = 0; i < x->n; i++)
            if (!x->acts[i])
                changed |= x->acts[i] = can_act(&x->reports[i]);
        for (size_t i = 0; i < x->waits.n; i++)
            if (x->waits.v[i].no_answer && ender_acts(x, &x->waits.v[i])) {
                x->waits.v[i].no_answer = false;
                changed = true;
            }
    }
    free_victims(x);
    publish_mutes(x);
}

/* ---- what the reports are told ------------------------------------------------------------- */

/* Every thread has slept on since it was read: the same number of times on a CPU
 * (Documentation/scheduler/sched-stats.rst). */
static bool sleeps_on(const struct linking *x, const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++) {
        uint64_t times;
        const struct lk_thread *t = &s->threads.v[i];
        if (!lk_machine_times_run(x->machine, s->pid, t->tid, &times) || times != t->switches)
            return false;
    }
    return true;
}

static const char *name_of(const struct linking *x, const struct crossing *w, struct lk_arena *a)
{
    const char *name = x->names.v[w->pipe - 1];
    return lk_text_clean(a, name, strlen(name), 256);
}

static const char *what_of(const struct linking *x, const struct crossing *w, int64_t pid,
                           struct lk_arena *a)
{
    if (w->child > 0)
        return lk_arena_printf(a, "child process %" PRId64, pid);
    if (w->holder > 0)
        return lk_arena_printf(a, "process %" PRId64 ", which holds that lock", pid);
    return lk_arena_printf(a, "process %" PRId64 ", which %s %s", pid,
                           w->reads ? "writes to" : "reads from", name_of(x, w, a));
}

/* Of a process that cannot act: its thread that waits across, in words. */
static const char *waits_of(const struct linking *x, size_t report, struct lk_arena *a)
{
    for (size_t i = 0; i < x->waits.n; i++) {
        const struct crossing *w = &x->waits.v[i];
        if (w->report != report || !w->no_answer)
            continue;
        const struct lk_thread *t = &x->reports[report].snap->threads.v[w->thread];
        return w->child > 0
                   ? lk_arena_printf(a,
                                     "its thread %s [%" PRId64 "] waits for child process %" PRId64,
                                     t->name, t->tid, w->child)
               : w->holder > 0
                   ? lk_arena_printf(a,
                                     "its thread %s [%" PRId64
                                     "] blocks in %s() on %s, which process "
                                     "%" PRId64 " has locked",
                                     t->name, t->tid, t->os.syscall,
                                     lk_or_else(t->os.path, "a file"), w->holder)
                   : lk_arena_printf(a, "its thread %s [%" PRId64 "] blocks in %s() on %s", t->name,
                                     t->tid, t->os.syscall, name_of(x, w, a));
    }
    return NULL;
}

/* A thread of the process that waits for the end of the one that writes to a pipe, which nobody
 * else reads: it is to read that first. NULL. */
static const char *awaits_writer(const struct linking *x, const struct crossing *w, size_t reader,
                                 struct lk_arena *a)
{
    const int64_t writer = x->reports[w->report].snap->pid;
    for (size_t i = 0; w->pipe && !w->reads && !w->ended_outside && i < x->waits.n; i++) {
        const struct crossing *v = &x->waits.v[i];
        if (v->report != reader || v->child != writer)
            continue;
        const struct lk_thread *t = &x->reports[reader].snap->threads.v[v->thread];
        return lk_arena_printf(a, "its thread %s [%" PRId64 "] waits for this process to end",
                               t->name, t->tid);
    }
    return NULL;
}

/* Which threads the findings name is known now. */
static void keep_locals(const struct lk_report *r)
{
    struct lk_refs named = { 0 };
    lk_findings_parties(r->findings, r->snap, &named);
    for (size_t i = 0; r->snap->main_locals && i < r->snap->threads.n; i++)
        if (r->snap->threads.v[i].main)
            lk_refs_add(r->snap, &named, lk_ref_make(LK_KIND_THREAD, i));
    lk_snapshot_forget_locals(r->snap, &named);
}

/* The thing outside that the thread waits for, as its reader named it or anew. */
static struct lk_ref via_of(struct lk_snapshot *s, const struct lk_thread *t,
                            enum lk_extern_kind kind, const char *what)
{
    for (size_t i = 0; i < t->wait.on.n; i++)
        if (lk_extern_at(s, t->wait.on.v[i]))
            return t->wait.on.v[i];
    return lk_snapshot_extern(s, kind, what, LK_UNKNOWN);
}

/* No wait of a ring is for anything but a file lock. */
static bool only_locks(const struct linking *x)
{
    for (size_t i = 0; i < x->waits.n; i++)
        if (x->waits.v[i].no_answer && x->waits.v[i].holder <= 0)
            return false;
    return true;
}

static void tell(struct linking *x, const struct crossing *w, int64_t pid)
{
    const size_t other = report_of(x, pid);
    struct lk_snapshot *s = x->reports[w->report].snap;
    if (other == SIZE_MAX || s->cross_waits.n >= MAX_LINKS)
        return;
    for (size_t i = 0; i < s->cross_waits.n; i++)
        if (s->cross_waits.v[i].thread == w->thread && s->cross_waits.v[i].pid == pid)
            return;
    const struct lk_findings *f = x->reports[other].findings;
    struct lk_cross_wait *l = lk_vec_push(&s->cross_waits);
    l->thread = (uint32_t)w->thread;
    l->pid = pid;
    l->what = what_of(x, w, pid, s->arena);
    l->via =
        via_of(s, &s->threads.v[w->thread], w->child > 0 ? LK_EXT_CHILD : LK_EXT_OUTSIDE, l->what);
    l->waits = w->no_answer ? waits_of(x, other, s->arena) : NULL;
    l->by_locks = w->holder > 0 && only_locks(x);
    l->awaits = awaits_writer(x, w, other, s->arena);
    l->verdict = f->verdict;
    if (f->list.n)
        l->finding = lk_arena_printf(s->arena, "%s %s: %s", f->list.v[0].rule->id,
                                     f->list.v[0].rule->name, f->list.v[0].summary);
    l->verified = sleeps_on(x, s) && sleeps_on(x, x->reports[other].snap);
}

/* A thread that keeps a pool of processes waits for whichever of them has a job: for one that is
 * stuck, when such a one is there. */
static void tell_of_pool(struct linking *x, size_t report, size_t thread)
{
    const struct lk_snapshot *s = x->reports[report].snap;
    const struct lk_thread *t = &s->threads.v[thread];
    if (t->running || t->moved || t->os.timeout_ms != LK_FOREVER ||
        !lk_stack_has(t->python_stack, LK_MARK_CHILDREN))
        return;
    for (size_t i = 0; i < s->children.n; i++) {
        const struct crossing w = {
            .report = report, .thread = thread, .child = s->children.v[i].pid, .holder = -1
        };
        const size_t child = report_of(x, w.child);
        if (child != SIZE_MAX && x->reports[child].findings->verdict >= LK_STALLED)
            tell(x, &w, w.child);
    }
}

static void tell_all(struct linking *x)
{
    for (size_t i = 0; i < x->n; i++)
        for (size_t t = 0; t < x->reports[i].snap->threads.n; t++)
            tell_of_pool(x, i, t);
    for (size_t i = 0; i < x->waits.n; i++) {
        const struct crossing *w = &x->waits.v[i];
        if (w->child > 0 || w->holder > 0)
            tell(x, w, LK_MAX(w->child, w->holder));
        for (size_t e = 0; w->pipe && e < x->ends.n; e++)
            if (can_end(w, &x->ends.v[e]))
                tell(x, w, x->ends.v[e].pid);
    }
    for (size_t i = 0; i < x->n; i++) {
        if (!x->reports[i].snap->cross_waits.n)
            continue;
        lk_findings_destroy(x->reports[i].findings);
        x->reports[i].findings = lk_diagnose(x->reports[i].snap);
    }
    for (size_t i = 0; i < x->n; i++)
        keep_locals(&x->reports[i]);
}

void lk_examine_link(struct lk_report *reports, size_t n, const struct lk_machine *m)
{
    struct linking x = {
        .reports = reports, .n = n, .ends.all_seen = true, .arena = lk_arena_create(), .machine = m
    };
    for (size_t i = 0; n > 1 && i < n; i++)
        for (size_t t = 0; t < reports[i].snap->threads.n; t++)
            note_wait(&x, i, t);
    if (x.waits.n) {
        x.acts = lk_xcalloc(n, sizeof *x.acts);
        if (x.names.n &&
            !lk_machine_pipe_ends(x.machine, &(struct lk_pipe_names){ x.names.v, x.names.n },
                                  x.arena, &x.ends))
            x.ends = (struct lk_pipe_ends){ 0 }; /* not all are seen */
        solve(&x);
    }
    if (n > 1)
        tell_all(&x);
    for (size_t i = 0; i < x.names.n; i++)
        lk_free(x.names.v[i]);
    lk_free(x.names.v);
    lk_free(x.waits.v);
    lk_free(x.acts);
    lk_arena_destroy(x.arena);
}
